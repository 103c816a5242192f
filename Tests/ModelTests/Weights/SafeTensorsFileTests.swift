import Foundation
import Testing

@testable import Model

struct SafeTensorsFileTests {
  @Test func everyTypeIsReadAsTheFormatsOwnLibraryWroteIt() throws {
    let folder = weightFixtures
    let file = try SafeTensors.File(
      contentsOf: folder.appendingPathComponent("types.safetensors"))
    let bits = try JSONDecoder().decode(
      [String: [Int32]].self,
      from: Data(contentsOf: folder.appendingPathComponent("types.json")))
    #expect(bits.count == 7)
    for (name, expected) in bits {
      let tensor = try #require(file[name])
      let values = file.floats(tensor)
      #expect(values.count == expected.count)
      for (value, bits) in zip(values, expected) {
        let wanted = Float(bitPattern: UInt32(bitPattern: bits))
        // PyTorch may hold any of the many not-a-numbers.
        #expect(
          value.bitPattern == wanted.bitPattern || (value.isNaN && wanted.isNaN),
          "\(name): \(value), \(wanted)")
      }
    }
    #expect(file["f16"]?.shape == [4, 15])
    #expect(file["scalar"]?.shape == [])
    #expect(file["empty"]?.count == 0)
    #expect(file["u8"]?.type == .uint8)
    #expect(file["bool"]?.type == .bool)
    #expect(file["i32"]?.shape == [3])
    #expect(file["absent"] == nil)
    #expect(file.metadata == ["format": "pt", "note": "Maß ✓"])
  }

  @Test func everyHalfIsExact() {
    for bits in UInt16.min...UInt16.max {
      let expected = Float(Float16(bitPattern: bits))
      let value = float(half: bits)
      guard value.bitPattern == expected.bitPattern || (value.isNaN && expected.isNaN) else {
        Issue.record("\(bits): \(value), \(expected)")
        return
      }
    }
  }

  @Test func numbersNeedNotBeAligned() throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [1.5, -2.25, 0x1p-140, .infinity]
    let bytes = values.withUnsafeBytes { Data($0) }
    for padding in 0..<8 {
      let header =
        "{" + entry("a", "U8", [1], 0, 1) + "," + entry("b", "F32", [2, 2], 1, 17) + "}"
        + String(repeating: " ", count: padding)
      let url = try folder.write(tensorFile(header, data: Data([7]) + bytes))
      let file = try SafeTensors.File(contentsOf: url)
      #expect(file.floats(try #require(file["b"])) == values)
    }
  }

  @Test func namesMayBeEscaped() throws {
    let folder = try TemporaryFolder()
    let name = #"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 ü"#
    let header =
      " { \"\(name)\" :\t{\"shape\": [ ],\n\"data_offsets\":[0 , 2],\"dtype\":\"F16\"} } "
    // The format wants the brace first.
    let url = try folder.write(tensorFile(String(header.dropFirst()), data: Data([0, 0x3C])))
    let file = try SafeTensors.File(contentsOf: url)
    let tensor = try #require(file["a\"\\/\u{8}\u{c}\n\r\té😀 ü"])
    #expect(file.floats(tensor) == [1])
  }

  @Test func aFileMayHaveNoTensors() throws {
    let folder = try TemporaryFolder()
    let file = try SafeTensors.File(contentsOf: folder.write(tensorFile("{}")))
    #expect(file.tensors.isEmpty && file.metadata.isEmpty)
  }

  @Test func whatIsNoFileIsRefused() throws {
    let folder = try TemporaryFolder()
    func error(_ url: URL) -> WeightError? {
      #expect(throws: WeightError.self) { try SafeTensors.File(contentsOf: url) }
    }
    let absent = folder.file("absent")
    #expect(error(absent) == .unreadable(absent.path, reason: "no such file or directory"))
    #expect(error(folder.url) == .directory(folder.url.path, contents: .other))
    let empty = try folder.write(Data(), to: "empty")
    #expect(error(empty) == .empty(empty.path))
    #expect(
      error(URL(fileURLWithPath: "/dev/zero"))
        == .unreadable("/dev/zero", reason: "it is a device or a pipe, not a file"))
    let pipe = folder.file("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    #expect(
      error(pipe) == .unreadable(pipe.path, reason: "it is a device or a pipe, not a file"))
    let link = folder.file("link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: absent)
    #expect(error(link) == .unreadable(link.path, reason: "no such file or directory"))
    let model = try folder.write(tensorFile("{}"), to: "model/model.safetensors")
    #expect(
      error(folder.file("model"))
        == .directory(folder.file("model").path, contents: .safeTensors(model.path)))
    try folder.write(Data([1]), to: "tf/model.index")
    #expect(error(folder.file("tf")) == .directory(folder.file("tf").path, contents: .tensorFlow))
  }

  @Test func otherFormatsAreNamed() throws {
    let folder = try TemporaryFolder()
    func format(_ url: URL) -> ForeignFormat? {
      let error = #expect(throws: WeightError.self) { try SafeTensors.File(contentsOf: url) }
      guard case .foreignFormat(let path, let format) = error else { return nil }
      #expect(path == url.path)
      #expect(error?.advice != nil)
      return format
    }
    let fixtures = weightFixtures
    #expect(format(fixtures.appendingPathComponent("torch-zip.pth")) == .torchZip)
    #expect(format(fixtures.appendingPathComponent("torch-legacy.pth")) == .torchPickle)
    #expect(format(fixtures.appendingPathComponent("archive.npz")) == .numpyArchive)
    #expect(format(fixtures.appendingPathComponent("array.npy")) == .numpyArray)
    let starts: [(String, [UInt8], ForeignFormat)] = [
      ("a.h5", [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0], .hdf5),
      ("a.tgz", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0], .gzip),
      ("a.zip", [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 40), .zip),
      ("b.zip", [0x50, 0x4B, 3, 4, 0, 0], .zip),
      ("a.html", Array("\n<!DOCTYPE html><html>not found".utf8), .webPage),
      (
        "lfs.safetensors", Array("version https://git-lfs.github.com/spec/v1\noid".utf8),
        .lfsPointer
      ),
      ("model.data-00000-of-00001", [UInt8](repeating: 1, count: 64), .tensorFlow),
      (
        "model.index",
        [UInt8](repeating: 0, count: 40) + [0x57, 0xFB, 0x80, 0x8B, 0x24, 0x75, 0x47, 0xDB],
        .tensorFlow
      ),
    ]
    for (name, bytes, expected) in starts {
      #expect(format(try folder.write(Data(bytes), to: name)) == expected, "\(name)")
    }
    let noise = try folder.write(Data(repeating: 7, count: 500), to: "noise")
    #expect(throws: WeightError.damaged(noise.path, .notSafeTensors)) {
      try SafeTensors.File(contentsOf: noise)
    }
  }
}
