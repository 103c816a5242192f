internal import CZlib
public import Foundation
import Kernels

/// Gray pictures of one size in memory, lent in three equal channels.
final class GrayDataset: Dataset {
  let name: String
  let classNames: [String]
  let count: Int
  private let width: Int
  private let height: Int
  private let labels: [UInt8]
  private let pixels: [UInt8]

  init(
    name: String, classNames: [String], width: Int, height: Int, pixels: [UInt8], labels: [UInt8]
  ) {
    precondition(width > 0 && height > 0 && pixels.count == width * height * labels.count)
    self.name = name
    self.classNames = classNames
    self.width = width
    self.height = height
    self.pixels = pixels
    self.labels = labels
    count = labels.count
  }

  func label(_ index: Int) -> Int { Int(labels[index]) }

  func image(_ index: Int) -> ImageRGB {
    let size = width * height
    let gray = pixels[(index * size)..<((index + 1) * size)]
    return ImageRGB(
      width: width, height: height, pixels: gray.flatMap { repeatElement($0, count: 3) })
  }

  func withPixels(_ index: Int, _ body: (PixelView) -> Void) {
    precondition(index >= 0 && index < count)
    let size = width * height
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 3 * size) { buffer in
      for pixel in 0..<size {
        let gray = pixels[index * size + pixel]
        for channel in 0..<3 { buffer.initializeElement(at: 3 * pixel + channel, to: gray) }
      }
      guard let base = buffer.baseAddress else { preconditionFailure("a picture has pixels") }
      body(PixelView(base: base, width: width, height: height))
    }
  }
}

/// One of the data sets in the files of MNIST: gray pictures of 28x28 pixels in 10 classes.
struct IDXDataset: Sendable {
  let name: String
  /// The folder that torchvision makes.
  let folder: String
  /// Images and labels to train and to test with.
  let files: (train: [String], test: [String])
  let classNames: [String]
  /// What all files lie under, packed with gzip.
  let address: String
  /// The MD5s of the packed files: images and labels to train with, then those to test with.
  let digests: [String]

  /// The files as they are published.
  var release: DatasetFiles {
    DatasetFiles(
      address: address, folder: folder,
      files: zip(files.train + files.test, digests).map { name, digest in
        DatasetFiles.File(name: name + ".gz", md5: digest)
      })
  }

  private static let usual = (
    train: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
    test: ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
  )
  private static let digits = (0...9).map(String.init)

  /// Every one that is known; addresses and digests are torchvision's.
  static let all = [
    IDXDataset(
      name: "mnist", folder: "MNIST", files: usual, classNames: digits,
      address: "https://ossci-datasets.s3.amazonaws.com/mnist/",
      digests: [
        "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c",
      ]),
    IDXDataset(
      name: "fashion_mnist", folder: "FashionMNIST", files: usual,
      classNames: [
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
        "ankle-boot",
      ],
      address: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      digests: [
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
      ]),
    IDXDataset(
      name: "kmnist", folder: "KMNIST", files: usual,
      classNames: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
      address: "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
      digests: [
        "bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134",
      ]),
    IDXDataset(
      name: "qmnist", folder: "QMNIST",
      files: (
        train: ["qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"],
        test: ["qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"]
      ), classNames: digits,
      address: "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
      digests: [
        "ed72d4157d28c017586c42bc6afe6370", "0058f8dd561b90ffdd0f734c6a30e5e4",
        "1394631089c404de565df7b7aeaf9412", "5b5b05890a5e13444e108efe57b788aa",
      ]),
  ]

  /// Reads the files of a folder, of torchvision's `NAME/raw` in it, or of a folder of that name.
  func load(directory: URL, limit: Int?) throws -> DataSource {
    if let limit, limit < 1 { throw DataError.limit(limit) }
    guard FileManager.default.fileExists(atPath: directory.path) else {
      throw DataError.missingFolder(path: directory.path)
    }
    var read: [DataFile] = []
    let train = try set("train", files.train, directory, limit, &read)
    let test = try set("test", files.test, directory, limit, &read)
    return DataSource(name: name, train: train, test: test, files: read)
  }

  /// The file, packed or not, in one of the folders where it may lie.
  private func locate(_ file: String, in directory: URL) throws -> URL {
    // Some copies of MNIST have a dot in the place of a dash.
    let dotted = file.replacing("-idx", with: ".idx")
    for folder in ["", "\(folder)/raw", folder, name] {
      for candidate in [file, dotted] {
        for ending in ["", ".gz"] {
          let url = directory.appendingPathComponent(folder)
            .appendingPathComponent(candidate + ending)
          if FileManager.default.fileExists(atPath: url.path) { return url }
        }
      }
    }
    throw DataError.noFiles(name: name, path: directory.path, file: file, address: address)
  }

  private func set(
    _ part: String, _ names: [String], _ directory: URL, _ limit: Int?, _ read: inout [DataFile]
  ) throws -> GrayDataset {
    let files = try names.map { try locate($0, in: directory) }
    let images = try IDXArray(files[0], digest: &read)
    let labels = try IDXArray(files[1], digest: &read)
    func wrong(_ file: URL, _ problem: String) -> DataError {
      .unexpectedContents(file: file.path, problem: problem)
    }
    guard images.extents.count == 3, images.elementBytes == 1, images.extents.allSatisfy({ $0 > 0 })
    else { throw wrong(files[0], "no array of pictures") }
    guard labels.extents.first == images.extents[0] else {
      throw wrong(
        files[1], "\(labels.extents.first ?? 0) labels for \(images.extents[0]) pictures")
    }
    let (count, height, width) = (images.extents[0], images.extents[1], images.extents[2])
    let stride = labels.bytes.count / count
    let kept = min(limit ?? count, count)
    let classes = try (0..<count).map { record -> UInt8 in
      // The first number of a row, of which the last byte is the smallest.
      let row = labels.bytes.dropFirst(record * stride).prefix(labels.elementBytes)
      let label = row.reduce(0) { $0 << 8 | Int($1) }
      guard label < classNames.count else {
        throw DataError.labelOutOfRange(
          file: files[1].path, record: record, offset: nil, label: label,
          classCount: classNames.count)
      }
      return UInt8(label)
    }
    return GrayDataset(
      name: "\(name) \(part)", classNames: classNames, width: width, height: height,
      pixels: Array(images.bytes.prefix(kept * width * height)), labels: Array(classes.prefix(kept))
    )
  }
}

/// An array in MNIST's own file format (IDX), packed with gzip or not.
private struct IDXArray {
  let extents: [Int]
  let elementBytes: Int
  /// The elements, big-endian.
  let bytes: ArraySlice<UInt8>

  /// Reads a file and notes its digest.
  init(_ file: URL, digest files: inout [DataFile]) throws {
    let contents = try readWhole(file)
    if contents.isEmpty { throw DataError.emptyFile(file: file.path) }
    func wrong(_ problem: String) -> DataError {
      .unexpectedContents(file: file.path, problem: problem)
    }
    let isPacked = contents.starts(with: [0x1F, 0x8B])
    let start = isPacked ? Self.unpacked(contents, count: 20).bytes : Array(contents.prefix(20))
    // Two zeros, the type, the number of extents, the extents.
    let sizes: [UInt8: Int] = [0x08: 1, 0x0C: 4]
    guard start.count >= 8, start[0] == 0, start[1] == 0, let size = sizes[start[2]],
      (1...3).contains(start[3]), start.count >= 4 + 4 * Int(start[3])
    else { throw wrong("no IDX file") }
    extents = (0..<Int(start[3])).map { number in
      start[(4 + 4 * number)..<(8 + 4 * number)].reduce(0) { $0 << 8 | Int($1) }
    }
    elementBytes = size
    let header = 4 + 4 * extents.count
    var total = size
    for extent in extents {
      total *= extent
      guard total <= 1 << 30 else { throw wrong("an array of \(extents) is too large") }
    }
    guard total > 0 else { throw wrong("an array of \(extents) is empty") }
    if isPacked {
      let whole = Self.unpacked(contents, count: header + total)
      guard whole.isWhole else { throw wrong("the gzip data are damaged or end too early") }
      bytes = whole.bytes[header...]
    } else {
      guard contents.count == header + total else {
        throw wrong("\(contents.count) bytes, expected \(header + total)")
      }
      bytes = contents[header...]
    }
    files.append(DataFile(name: file.lastPathComponent, sha256: sha256(of: contents)))
  }

  /// The first `count` bytes, and whether that is everything.
  private static func unpacked(_ contents: [UInt8], count: Int) -> (bytes: [UInt8], isWhole: Bool) {
    var status: Int32 = -1
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      buffer.initialize(repeating: 0)
      status = zlib_unpack(contents, contents.count, buffer.baseAddress, count, 1)
      filled = count
    }
    return (bytes, status == 1)
  }
}

extension Datasets {
  /// A data set in the files of MNIST: `mnist`, `fashion_mnist`, `kmnist` or `qmnist`.
  ///
  /// - Parameters:
  ///   - directory: the folder of the files, or one that holds torchvision's folders.
  ///   - limit: keeps the first so many pictures of either set; the files mix the classes.
  /// - Throws: `DataError`.
  public static func idx(_ name: String, directory: URL, limit: Int? = nil) throws -> DataSource {
    guard let dataset = IDXDataset.all.first(where: { $0.name == name }) else {
      preconditionFailure("no data set in IDX files is called \(name)")
    }
    return try dataset.load(directory: directory, limit: limit)
  }

  /// The names that `idx` knows.
  public static var idxNames: [String] { IDXDataset.all.map(\.name) }
}
