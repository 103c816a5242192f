import Foundation
import Kernels
import Testing

@testable import Model

@Suite struct IDXFileTests {
  private func idx(_ type: UInt8, _ extents: [Int], _ bytes: [UInt8]) -> [UInt8] {
    [0, 0, type, UInt8(extents.count)]
      + extents.flatMap { extent in (0..<4).map { UInt8(extent >> (24 - 8 * $0) & 255) } } + bytes
  }

  /// Packs a file with the system's gzip.
  private func pack(_ file: URL) throws {
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    gzip.arguments = ["gzip", "-f", file.path]
    try gzip.run()
    gzip.waitUntilExit()
    try #require(gzip.terminationStatus == 0)
  }

  private func write(_ name: String, in files: PictureFiles, folder: String) throws {
    let dataset = try #require(IDXDataset.all.first { $0.name == name })
    for (part, count) in [(dataset.files.train, 5), (dataset.files.test, 3)] {
      let pixels = (0..<(count * 12)).map { UInt8($0) }
      try files.write(idx(8, [count, 4, 3], pixels), to: "\(folder)/\(part[0])")
      let labels =
        name == "qmnist"
        ? idx(
          12, [count, 8],
          (0..<count).flatMap { [0, 0, 0, UInt8($0)] + [UInt8](repeating: 9, count: 28) })
        : idx(8, [count], (0..<count).map { UInt8($0) })
      try files.write(labels, to: "\(folder)/\(part[1])")
    }
  }

  @Test func everyFamilyMemberIsRead() throws {
    for dataset in IDXDataset.all {
      try PictureFiles.with { files in
        for folder in ["\(dataset.folder)/raw", dataset.name, "."] {
          try write(dataset.name, in: files, folder: folder)
          let data = try Datasets.idx(dataset.name, directory: files.folder)
          #expect(data.train.count == 5 && data.test.count == 3)
          #expect(data.classNames.count == 10 && data.files.count == 4)
          #expect((0..<5).map(data.train.label) == [0, 1, 2, 3, 4])
          let image = try data.train.image(1)
          #expect(image.width == 3 && image.height == 4)
          #expect(Array(image.pixels.prefix(6)) == [12, 12, 12, 13, 13, 13])
          var lent: [UInt8] = []
          try data.train.withPixels(1) { view in
            lent = Array(UnsafeBufferPointer(start: view.base, count: 36))
          }
          #expect(lent == image.pixels)
          let some = try Datasets.idx(dataset.name, directory: files.folder, limit: 2)
          #expect(some.train.count == 2 && some.test.count == 2)
          #expect(some.fingerprint != data.fingerprint)
        }
      }
    }
    #expect(Datasets.idxNames == ["mnist", "fashion_mnist", "kmnist", "qmnist"])
  }

  @Test func packedFilesAreRead() throws {
    try PictureFiles.with { files in
      try write("mnist", in: files, folder: ".")
      let plain = try Datasets.idx("mnist", directory: files.folder)
      for name in ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        try pack(files.folder.appendingPathComponent(name))
      }
      let packed = try Datasets.idx("mnist", directory: files.folder)
      #expect(try packed.train.image(4) == plain.train.image(4))
      #expect(packed.test.label(2) == 2)
      let file = files.folder.appendingPathComponent("train-images-idx3-ubyte.gz")
      let whole = [UInt8](try Data(contentsOf: file))
      for length in 1..<whole.count {
        try Data(whole.prefix(length)).write(to: file)
        #expect(throws: DataError.self) { try Datasets.idx("mnist", directory: files.folder) }
      }
    }
  }

  @Test func problemsAreNamed() throws {
    try PictureFiles.with { files in
      func failure() throws -> DataError {
        try #require(throws: DataError.self) { try Datasets.idx("mnist", directory: files.folder) }
      }
      let address = "https://ossci-datasets.s3.amazonaws.com/mnist/"
      #expect(
        try failure()
          == .noFiles(
            name: "mnist", path: files.folder.path, file: "train-images-idx3-ubyte",
            address: address))
      try write("mnist", in: files, folder: ".")
      let images = "train-images-idx3-ubyte"
      let path = files.folder.appendingPathComponent(images).path
      func contents(_ bytes: [UInt8], _ problem: String) throws {
        try files.write(bytes, to: images)
        #expect(try failure() == .unexpectedContents(file: path, problem: problem))
      }
      try files.write([], to: images)
      #expect(try failure() == .emptyFile(file: path))
      try contents([1, 2, 3], "no IDX file")
      try contents(idx(9, [1], [1]), "no IDX file")
      try contents(idx(8, [5], [1, 2, 3, 4, 5]), "no array of pictures")
      try contents(idx(8, [5, 4, 3], [1]), "17 bytes, expected 76")
      try contents(
        idx(8, [1 << 31, 1 << 31, 3], [1]), "an array of [2147483648, 2147483648, 3] is too large")
      try contents(idx(8, [0, 4, 3], []), "an array of [0, 4, 3] is empty")
      try write("mnist", in: files, folder: ".")
      let labels = "train-labels-idx1-ubyte"
      let labelPath = files.folder.appendingPathComponent(labels).path
      try files.write(idx(8, [4], [1, 2, 3, 4]), to: labels)
      #expect(
        try failure()
          == .unexpectedContents(file: labelPath, problem: "4 labels for 5 pictures"))
      try files.write(idx(8, [5], [1, 2, 10, 4, 5]), to: labels)
      #expect(
        try failure()
          == .labelOutOfRange(file: labelPath, record: 2, offset: nil, label: 10, classCount: 10))
    }
  }
}
