import Foundation
import Testing

@testable import Model

@Suite struct TarArchiveTests {
  @Test func membersAreReadInPlace() throws {
    try PictureFiles.with { files in
      var tar = TarBuilder()
      tar.add("./train/", [], type: "5")
      tar.add("./train/a/1.png", try PictureFiles.png(1))
      tar.add("./train/a/notes.txt", [1, 2, 3])
      tar.add("2.png", try PictureFiles.png(2), prefix: "train/b")
      tar.add("link.png", [], type: "2")
      let long = "train/b/" + String(repeating: "x", count: 120) + ".png"
      tar.add("././@LongLink", Array(long.utf8) + [0], type: "L")
      tar.add(String(long.prefix(100)), try PictureFiles.png(3))
      tar.add("pax_global_header", Array("18 comment=abcdef\n".utf8), type: "g")
      let picture = try PictureFiles.png(4)
      tar.addExtended(["path": "test/a/ü\(long.count).png", "size": "\(picture.count)"])
      tar.add("short.png", picture, size: 0)
      tar.add("test/b/._1.png", [9])
      tar.add("test/b/1.png", try PictureFiles.png(5))
      try files.write(tar.ended, to: "x.tar")
      let data = try files.load("x.tar")
      #expect(data.kind == "tar" && data.name == "x" && data.classNames == ["a", "b"])
      #expect(
        data.remarks == [
          "'train/a/notes.txt' is neither a .jpg, .jpeg nor .png file and was left out"
        ])
      #expect((0..<3).map { data.train.file($0) } == ["train/a/1.png", "train/b/2.png", long])
      #expect(try (0..<3).map { try data.train.image($0).pixels[0] } == [1, 2, 3])
      #expect(try (0..<2).map { try data.test.image($0).pixels[0] } == [4, 5])
      #expect(try data.test.digest(0) == sha256(of: picture))
    }
  }

  /// What the tar of the system writes, in its formats, and the folder itself are the same data.
  @Test func archivesOfTarAreRead() throws {
    try PictureFiles.with { files in
      let long = String(repeating: "long-", count: 12)
      try files.writePictures([
        "set/train/a/1.png", "set/train/b/1.png", "set/train/b/\(long)/\(long)/2.png",
        "set/val/a/1.png",
        "set/val/b/1.png",
      ])
      let folder = try files.load("set")
      for format in ["gnu", "pax", "ustar"] {
        for top in ["set", "."] {
          let tar = Process()
          tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
          tar.arguments =
            ["tar", "--format=\(format)", "-cf", "\(format).tar"]
            + (top == "." ? ["-C", "set", "."] : ["set"])
          tar.currentDirectoryURL = files.folder
          try tar.run()
          tar.waitUntilExit()
          try #require(tar.terminationStatus == 0)
          let data = try files.load("\(format).tar")
          #expect(data.train.count == 3 && data.test.count == 2, "\(format)")
          for index in 0..<3 {
            #expect(try data.train.image(index) == folder.train.image(index))
            #expect(data.train.label(index) == folder.train.label(index))
          }
        }
      }
    }
  }

  @Test func damageIsNamed() throws {
    try PictureFiles.with { files in
      var tar = TarBuilder()
      tar.add("a/1.png", try PictureFiles.png(1))
      tar.add("b/1.png", try PictureFiles.png(2))
      let path = files.folder.appendingPathComponent("x.tar").path
      func failure(_ bytes: [UInt8]) throws -> DataError {
        try files.write(bytes, to: "x.tar")
        return try #require(throws: DataError.self) { try files.load("x.tar") }
      }
      #expect(try failure([]) == .emptyFile(file: path))
      #expect(try failure([1, 2]) == .archive(file: path, problem: .notTar))
      #expect(
        try failure([UInt8](repeating: 65, count: 4096)) == .archive(file: path, problem: .notTar))
      #expect(
        try failure([0x1F, 0x8B, 8] + [UInt8](repeating: 0, count: 600))
          == .archive(file: path, problem: .compressed(tool: "gzip")))
      #expect(try failure([UInt8](repeating: 0, count: 1024)) == .noImages(path: path))
      var damaged = tar.ended
      damaged[1024 + 3] ^= 1
      #expect(try failure(damaged) == .archive(file: path, problem: .badHeader(offset: 1024)))
      let cut = Array(tar.ended.prefix(1024 + 512 + 10))
      #expect(
        try failure(cut) == .archive(file: path, problem: .cutOff(name: "b/1.png", offset: 1024)))
      #expect(try failure(cut).message == "'\(path)' ends within 'b/1.png' (header at offset 1024)")
      for size in [1 << 40, Int.max] {
        var huge = tar
        huge.add("c/1.png", [], size: size)
        #expect(
          try failure(huge.ended)
            == .archive(
              file: path, problem: .cutOff(name: "c/1.png", offset: 2048)))
      }
      for record in ["99999 path=x\n", "x\n", "5 a\n", "-3 path=x\n"] {
        var bad = tar
        bad.add("x", Array(record.utf8), type: "x")
        bad.add("c/1.png", [])
        #expect(try failure(bad.ended) == .archive(file: path, problem: .badHeader(offset: 2048)))
      }
      // Without an end mark everything may be there; and nothing leads out of the archive.
      var open = tar
      open.add("../c/1.png", try PictureFiles.png(3))
      open.add("/c/1.png", try PictureFiles.png(3))
      try files.write(open.bytes, to: "x.tar")
      let data = try files.load("x.tar")
      #expect(data.train.count == 2)
      #expect(
        data.remarks == [
          "the archive '\(path)' has no end mark; it may have been cut off",
          "2 entries of '\(path)' point outside of it and were left out",
        ])
      // Cut off while it is in use.
      try FileHandle(forUpdating: URL(fileURLWithPath: path)).truncate(atOffset: 1100)
      let error = try #require(throws: DataError.self) { try data.train.image(1) }
      #expect(error.message.contains("the archive was cut off meanwhile"))
    }
  }

  @Test func anyByteMayBeWrong() throws {
    try PictureFiles.with { files in
      var tar = TarBuilder()
      tar.add("a/1.png", try PictureFiles.png(1))
      tar.addExtended(["path": "b/2.png"])
      tar.add("x", try PictureFiles.png(2))
      for position in stride(from: 0, to: 2560, by: 3) {
        var damaged = tar.ended
        damaged[position] ^= 0x41
        try files.write(damaged, to: "x.tar")
        // An error or a data set, never a crash.
        do {
          _ = try files.load("x.tar").train.check()
        } catch {
          #expect(error is DataError)
        }
      }
    }
  }
}
