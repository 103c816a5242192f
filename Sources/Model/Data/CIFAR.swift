public import Foundation

extension Datasets {
  /// CIFAR-10 from the files of its authors: 32x32 pictures in 10 classes.
  ///
  /// A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
  ///
  /// - Parameters:
  ///   - directory: the folder `cifar-10-batches-bin` or `cifar-10-batches-py`, or the one that
  ///     holds it. Where both are, the binary files are read.
  ///   - limit: keeps the first so many pictures of the training set and, at most, of the test
  ///     set; nil keeps all. The files mix the classes, so that the first ones are a fair sample.
  /// - Throws: `DataError`.
  public static func cifar10(directory: URL, limit: Int? = nil) throws -> DataSource {
    try CIFAR.ten.load(directory: directory, limit: limit)
  }

  /// CIFAR-100 from the files of its authors: 32x32 pictures in 100 classes (the fine labels).
  ///
  /// Arguments as for CIFAR-10; the folders are `cifar-100-binary` and `cifar-100-python`.
  ///
  /// - Throws: `DataError`.
  public static func cifar100(directory: URL, limit: Int? = nil) throws -> DataSource {
    try CIFAR.hundred.load(directory: directory, limit: limit)
  }
}

/// One of the two CIFAR data sets as data: its classes and the two layouts of its files.
struct CIFAR: Sendable {
  /// Files of one kind. The number of records in a file is free.
  struct Layout: Sendable {
    let isBinary: Bool
    let folder: String
    let train: [String]
    let test: String
    /// The class names, used when it is there.
    let names: String
    let archive: DatasetArchive
  }

  static let side = 32
  static let imageBytes = 3 * side * side

  let name: String
  /// Bytes before the pixels of a binary record; the label is the last of them.
  let labelBytes: Int
  /// The keys of the labels and of the class names in the Python files.
  let labelKey: String
  let namesKey: String
  let classNames: [String]
  let layouts: [Layout]

  static let ten = CIFAR(
    name: "cifar10", labelBytes: 1, labelKey: "labels", namesKey: "label_names",
    classNames: [
      "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ],
    layouts: [
      Layout(
        isBinary: true, folder: "cifar-10-batches-bin",
        train: (1...5).map { "data_batch_\($0).bin" }, test: "test_batch.bin",
        names: "batches.meta.txt",
        archive: archive(
          "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530",
          folder: "cifar-10-batches-bin")),
      Layout(
        isBinary: false, folder: "cifar-10-batches-py",
        train: (1...5).map { "data_batch_\($0)" }, test: "test_batch", names: "batches.meta",
        archive: archive(
          "cifar-10-python.tar.gz", md5: "c58f30108f718f92721af3b95e74349a",
          folder: "cifar-10-batches-py")),
    ])

  static let hundred = CIFAR(
    name: "cifar100", labelBytes: 2, labelKey: "fine_labels", namesKey: "fine_label_names",
    classNames: """
      apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus \
      butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch \
      crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo \
      keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain \
      mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain \
      plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk \
      skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone \
      television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
      """.split(separator: " ").map(String.init),
    layouts: [
      Layout(
        isBinary: true, folder: "cifar-100-binary", train: ["train.bin"], test: "test.bin",
        names: "fine_label_names.txt",
        archive: archive(
          "cifar-100-binary.tar.gz", md5: "03b5dce01913d631647c71ecec9e9cb8",
          folder: "cifar-100-binary")),
      Layout(
        isBinary: false, folder: "cifar-100-python", train: ["train"], test: "test",
        names: "meta",
        archive: archive(
          "cifar-100-python.tar.gz", md5: "eb9058c3a382ffc7106e4002c42a8d85",
          folder: "cifar-100-python")),
    ])

  private static func archive(_ name: String, md5: String, folder: String) -> DatasetArchive {
    DatasetArchive(
      name: name, url: "https://www.cs.toronto.edu/~kriz/\(name)", md5: md5, folder: folder)
  }

  /// Pixels (HWC) and labels read so far.
  struct Records {
    var pixels: [UInt8] = []
    var labels: [UInt8] = []

    /// Appends `count` pictures of three planes as interleaved pixels; the first starts at offset
    /// `first` of `bytes`, each next one `step` bytes later.
    mutating func appendPixels(
      _ bytes: ArraySlice<UInt8>, first: Int, every step: Int, count: Int
    ) {
      guard count > 0 else { return }
      precondition(first >= 0 && first + (count - 1) * step + imageBytes <= bytes.count)
      let plane = side * side
      bytes.withUnsafeBufferPointer { source in
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: imageBytes) { target in
          for image in 0..<count {
            let from = first + image * step
            for pixel in 0..<plane {
              target[3 * pixel] = source[from + pixel]
              target[3 * pixel + 1] = source[from + plane + pixel]
              target[3 * pixel + 2] = source[from + 2 * plane + pixel]
            }
            pixels.append(contentsOf: target)
          }
        }
      }
    }
  }

  /// Reads the data set.
  func load(directory: URL, limit: Int?) throws -> DataSource {
    if let limit, limit < 1 { throw DataError.limit(limit) }
    let (layout, folder) = try locate(in: directory)
    var files: [DataFile] = []
    var train = Records()
    for (number, file) in layout.train.enumerated() {
      try read(file, layout: layout, folder: folder, into: &train, files: &files, limit: limit)
      // The other files are as large as the first, as a rule.
      if number == 0 { train.pixels.reserveCapacity(layout.train.count * train.pixels.count) }
    }
    var test = Records()
    try read(layout.test, layout: layout, folder: folder, into: &test, files: &files, limit: limit)
    let names = try readNames(layout: layout, folder: folder, files: &files)
    func dataset(_ part: String, _ records: Records) -> InMemoryDataset {
      InMemoryDataset(
        name: "\(name) \(part)", classNames: names, width: Self.side, height: Self.side,
        pixels: records.pixels, labels: records.labels)
    }
    return DataSource(
      name: name, train: dataset("train", train), test: dataset("test", test), files: files)
  }

  /// The layout to read and the folder of its files.
  private func locate(in directory: URL) throws -> (Layout, URL) {
    guard Self.exists(directory, folder: true) else {
      throw DataError.missingFolder(path: directory.path)
    }
    for layout in layouts {
      let inner = directory.appendingPathComponent(layout.folder)
      if Self.exists(inner, folder: true) { return (layout, inner) }
      for file in layout.train + [layout.test]
      where Self.exists(directory.appendingPathComponent(file), folder: false) {
        return (layout, directory)
      }
      if directory.lastPathComponent == layout.folder { return (layout, directory) }
    }
    // A download that was not unpacked is the one to name.
    let found = layouts.first {
      Self.exists(directory.appendingPathComponent($0.archive.name), folder: false)
    }
    throw DataError.noDataset(
      name: name, path: directory.path, folders: layouts.map(\.folder),
      archive: (found ?? layouts[0]).archive, archiveIsThere: found != nil)
  }

  private static func exists(_ url: URL, folder: Bool) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      && isFolder.boolValue == folder
  }

  /// Reads a file of records; those beyond `limit` are checked but not kept.
  private func read(
    _ file: String, layout: Layout, folder: URL, into records: inout Records,
    files: inout [DataFile], limit: Int?
  ) throws {
    let url = folder.appendingPathComponent(file)
    guard Self.exists(url, folder: false) else {
      throw DataError.missingFile(file: file, folder: folder.path, archive: layout.archive)
    }
    let bytes = try readWhole(url)
    if bytes.isEmpty { throw DataError.emptyFile(file: url.path) }
    let limit = limit ?? .max
    if layout.isBinary {
      try appendBinary(bytes, file: url.path, to: &records, limit: limit)
    } else {
      try appendPickled(bytes, file: url.path, to: &records, limit: limit)
    }
    files.append(DataFile(name: file, sha256: sha256(of: bytes)))
  }

  /// Records of label bytes and pixels (three planes).
  func appendBinary(_ bytes: [UInt8], file: String, to records: inout Records, limit: Int) throws {
    let recordBytes = labelBytes + Self.imageBytes
    guard bytes.count.isMultiple(of: recordBytes) else {
      throw DataError.partialRecord(file: file, size: bytes.count, recordBytes: recordBytes)
    }
    let count = bytes.count / recordBytes
    let kept = min(count, max(limit - records.labels.count, 0))
    for record in 0..<count {
      let offset = record * recordBytes + labelBytes - 1
      let label = Int(bytes[offset])
      if label >= classNames.count {
        throw DataError.labelOutOfRange(
          file: file, record: record, offset: offset, label: label, classCount: classNames.count)
      }
      if record < kept { records.labels.append(UInt8(label)) }
    }
    records.appendPixels(bytes[...], first: labelBytes, every: recordBytes, count: kept)
  }

  /// The class names beside the data; the built-in ones when the file is not there.
  private func readNames(layout: Layout, folder: URL, files: inout [DataFile]) throws -> [String] {
    let url = folder.appendingPathComponent(layout.names)
    guard Self.exists(url, folder: false) else { return classNames }
    let bytes = try readWhole(url)
    let names: [String]
    if layout.isBinary {
      names = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    } else {
      names = try pickledNames(bytes, file: url.path)
    }
    if names.count != classNames.count {
      throw DataError.unexpectedContents(
        file: url.path, problem: "\(names.count) class names, expected \(classNames.count)")
    }
    files.append(DataFile(name: layout.names, sha256: sha256(of: bytes)))
    return names
  }
}
