import Foundation
import Model
import Testing

@testable import Workbench

/// The file of digests in the user's folder.
@Suite struct DigestCacheTests {
  private let folder: TestFolder
  private var cache: DigestCache {
    DigestCache(file: folder.url.appending(path: "home/digests"))
  }

  init() throws { folder = try TestFolder() }

  private func stamp(_ inode: UInt64, modified: Int64 = 7) -> FileStamp {
    FileStamp(device: 1, inode: inode, size: 5, modified: modified, changed: 9)
  }

  private func digest(_ number: Int) -> String { sha256(of: Array("\(number)".utf8)) }

  @Test func digestsAreRememberedAndReplaced() throws {
    #expect(cache.digest(of: stamp(1)) == nil)
    cache.keep(digest(1), of: stamp(1))
    cache.keep(digest(2), of: stamp(2))
    #expect(cache.digest(of: stamp(1)) == digest(1) && cache.digest(of: stamp(2)) == digest(2))
    cache.keep(digest(3), of: stamp(1, modified: 8))
    #expect(cache.digest(of: stamp(1)) == nil)
    #expect(cache.digest(of: stamp(1, modified: 8)) == digest(3))
    #expect(try folder.text("home/digests").split(separator: "\n").count == 2)
  }

  @Test func theFileStaysSmall() throws {
    for number in 0..<(DigestCache.capacity + 3) {
      cache.keep(digest(number), of: stamp(UInt64(number)))
    }
    #expect(try folder.text("home/digests").split(separator: "\n").count == DigestCache.capacity)
    #expect(cache.digest(of: stamp(2)) == nil)
    #expect(cache.digest(of: stamp(3)) == digest(3))
  }

  @Test func damageIsNotBelieved() throws {
    cache.keep(digest(1), of: stamp(1))
    cache.keep(digest(2), of: stamp(2))
    let whole = Array(try folder.text("home/digests").utf8)
    let line = whole.count / 2
    for place in 0..<line {
      var damaged = whole
      damaged[place] = damaged[place] == 0x31 ? 0x32 : 0x31
      try Data(damaged).write(to: cache.file)
      let found = cache.digest(of: stamp(1))
      #expect(found == nil, "byte \(place)")
      #expect(place == line - 1 || cache.digest(of: stamp(2)) == digest(2), "byte \(place)")
    }
    for length in [0, 10, line + 40] {
      try Data(whole.prefix(length)).write(to: cache.file)
      #expect(cache.digest(of: stamp(2)) == nil)
    }
    try Data([0xFF, 0xFE, 0x0A]).write(to: cache.file)
    cache.keep(digest(2), of: stamp(2))
    #expect(cache.digest(of: stamp(2)) == digest(2))
  }

  @Test func whatCannotBeWrittenIsNotRemembered() throws {
    try folder.write("a file, no folder", to: "home")
    cache.keep(digest(1), of: stamp(1))
    #expect(cache.digest(of: stamp(1)) == nil)
  }
}
