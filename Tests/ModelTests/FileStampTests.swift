import Foundation
import Synchronization
import Testing

@testable import Model

/// Digests that are kept by what the file system says of a file.
@Suite struct FileStampTests {
  /// Keeps in memory, and counts.
  private final class Store: DigestStore {
    let known = Mutex<[FileStamp: String]>([:])
    func digest(of stamp: FileStamp) -> String? { known.withLock { $0[stamp] } }
    func keep(_ digest: String, of stamp: FileStamp) { known.withLock { $0[stamp] = digest } }
    var count: Int { known.withLock { $0.count } }
  }

  private let later = Date(timeIntervalSinceNow: 3600)

  @Test func aKnownDigestIsTakenOnlyForTheVerySameFile() throws {
    let folder = try TemporaryFolder()
    let (store, invented) = (Store(), String(repeating: "a", count: 64))
    let url = try folder.write(Data("abc".utf8), to: "file")
    let real = sha256(of: Array("abc".utf8))
    #expect(try sha256(of: url, knownBy: store, now: later) == real)
    let stamp = try #require(FileStamp(of: url))
    #expect(store.digest(of: stamp) == real)
    // Only a digest that was never computed tells that it was taken from the store.
    store.keep(invented, of: stamp)
    #expect(try sha256(of: url, knownBy: store, now: later) == invented)
    let link = folder.file("link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: url)
    #expect(try sha256(of: link, knownBy: store, now: later) == invented)

    func differing(
      device: UInt64 = 0, inode: UInt64 = 0, size: Int64 = 0, modified: Int64 = 0,
      changed: Int64 = 0
    ) -> FileStamp {
      FileStamp(
        device: stamp.device + device, inode: stamp.inode + inode, size: stamp.size + size,
        modified: stamp.modified + modified, changed: stamp.changed + changed)
    }
    for other in [
      differing(device: 1), differing(inode: 1), differing(size: 1), differing(modified: 1),
      differing(changed: 1),
    ] {
      let store = Store()
      store.keep(invented, of: other)
      #expect(try sha256(of: url, knownBy: store, now: later) == real)
    }
    #expect(throws: DataError.self) {
      try sha256(of: folder.file("absent"), knownBy: store, now: later)
    }
  }

  @Test func aFileThatJustChangedIsNotRemembered() throws {
    let folder = try TemporaryFolder()
    let store = Store()
    let url = try folder.write(Data("abc".utf8), to: "file")
    let stamp = try #require(FileStamp(of: url))
    let change = Date(timeIntervalSince1970: Double(stamp.changed) / 1e9)
    for now in [change, change + 3, change - 60] {
      _ = try sha256(of: url, knownBy: store, now: now)
      #expect(store.count == 0)
    }
    _ = try sha256(of: url, knownBy: store, now: change + 5)
    #expect(store.count == 1)
  }
}
