import Foundation
import Testing

@testable import Model

@Suite struct DataSetTests {
  @Test func digitsAreThoseOfScikitLearn() throws {
    let digits = Datasets.digits()
    #expect(digits.train.count == 1438 && digits.test.count == 359)
    #expect(digits.classNames == (0...9).map(String.init))
    #expect(digits.files.count == 1)
    #expect(digits.files[0].sha256.count == 64)
    // load_digits().images[0]: a zero; its first row is 0 0 5 13 9 1 0 0.
    #expect(digits.train.label(0) == 0)
    let image = try digits.train.image(0)
    let row = (0..<8).map { image.pixels[3 * $0] }
    #expect(row == [0, 0, 80, 207, 143, 16, 0, 0])
    #expect(image.pixels[3 * 3 + 1] == 207 && image.pixels[3 * 3 + 2] == 207)
    // Index 4 of the whole is the first of the test set: a four.
    #expect(digits.test.label(0) == 4 && digits.train.label(4) == 5)
    // The counts per class of the 1797.
    var counts = [Int](repeating: 0, count: 10)
    for part in [digits.train, digits.test] {
      for index in 0..<part.count { counts[part.label(index)] += 1 }
    }
    #expect(counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
  }

  @Test func theClassNamesOfImageNetAreThere() {
    let names = ImageNetClasses.names
    #expect(names.count == 1000)
    #expect(names[0] == "tench" && names[258] == "Samoyed" && names[999] == "toilet tissue")
  }

  @Test func digestsAreThoseOfTheStandard() throws {
    #expect(
      sha256(of: Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    try DataFixtures.withFolder { folder in
      let file = folder.appendingPathComponent("x")
      let bytes = [UInt8](repeating: 97, count: 3_000_001)
      try Data(bytes).write(to: file)
      #expect(try sha256(of: file) == sha256(of: bytes))
    }
    let missing = URL(fileURLWithPath: "/nowhere/x")
    #expect(throws: DataError.unreadable(file: "/nowhere/x", reason: "no such file or directory")) {
      try sha256(of: missing)
    }
  }

  // MARK: CIFAR

  /// Writes a data set with `count` records a file and labels 0, 1, 2, ... modulo the classes.
  private func write(
    _ cifar: CIFAR, layout: CIFAR.Layout, count: Int, in folder: URL
  ) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var number = 0
    for file in layout.train + [layout.test] {
      var bytes: [UInt8] = []
      for _ in 0..<count {
        bytes += [UInt8](repeating: 0, count: cifar.labelBytes - 1)
        bytes.append(UInt8(number % cifar.classNames.count))
        bytes += [UInt8](repeating: UInt8(number % 256), count: 1024)
        bytes += [UInt8](repeating: 100, count: 1024) + [UInt8](repeating: 200, count: 1024)
        number += 1
      }
      try Data(bytes).write(to: folder.appendingPathComponent(file))
    }
  }

  @Test func binaryFilesAreRead() throws {
    for cifar in [CIFAR.ten, .hundred] {
      try DataFixtures.withFolder { parent in
        let layout = cifar.layouts[0]
        let folder = parent.appendingPathComponent(layout.folder)
        try write(cifar, layout: layout, count: 3, in: folder)
        let whole = try cifar.load(directory: parent, limit: nil)
        #expect(whole.train.count == 3 * layout.train.count && whole.test.count == 3)
        #expect(whole.classNames == cifar.classNames)
        #expect(whole.files.map(\.name) == layout.train + [layout.test])
        let last = whole.train.count - 1
        #expect(whole.train.label(last) == last % cifar.classNames.count)
        #expect(
          try whole.train.image(last).pixels.prefix(6) == [
            UInt8(last), 100, 200, UInt8(last), 100, 200,
          ])
        #expect(whole.train.name == "\(cifar.name) train")

        // The folder itself, and a limit.
        let some = try cifar.load(directory: folder, limit: 2)
        #expect(some.train.count == 2 && some.test.count == 2)
        #expect(some.fingerprint != whole.fingerprint)
        #expect(try cifar.load(directory: folder, limit: nil).fingerprint == whole.fingerprint)
        #expect(try cifar.load(directory: folder, limit: 1000).test.count == 3)
        #expect(throws: DataError.limit(0)) { try cifar.load(directory: folder, limit: 0) }
      }
    }
  }

  @Test func pythonFilesAreRead() throws {
    try DataFixtures.withFolder { parent in
      let layout = CIFAR.ten.layouts[1]
      let folder = parent.appendingPathComponent(layout.folder)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for (file, source) in zip(
        layout.train + [layout.test],
        ["python2-2", "python3-4", "python3-0", "python3-5", "fortran", "python2-0"])
      {
        try FileManager.default.copyItem(
          at: DataFixtures.folder.appendingPathComponent("pickles/\(source)"),
          to: folder.appendingPathComponent(file))
      }
      // label_names as Python 2 wrote them.
      var meta = "(dS'label_names'\n(l"
      for name in CIFAR.ten.classNames { meta += "S'\(name.uppercased())'\na" }
      try Data((meta + "s.").utf8).write(to: folder.appendingPathComponent(layout.names))
      let data = try Datasets.cifar10(directory: parent)
      #expect(data.train.count == 10 && data.test.count == 2)
      #expect(data.classNames[9] == "TRUCK")
      #expect(data.files.last?.name == "batches.meta")
      #expect(try data.train.image(8) == data.test.image(0))

      // Beside binary files, those are preferred.
      try write(
        .ten, layout: CIFAR.ten.layouts[0], count: 1,
        in: parent.appendingPathComponent(CIFAR.ten.layouts[0].folder))
      #expect(try Datasets.cifar10(directory: parent).train.count == 5)
      #expect(try Datasets.cifar10(directory: folder).train.count == 10)
    }
  }

  @Test func problemsAreNamed() throws {
    let cifar = CIFAR.ten
    let layout = cifar.layouts[0]
    try DataFixtures.withFolder { parent in
      let nowhere = parent.appendingPathComponent("nowhere")
      #expect(throws: DataError.missingFolder(path: nowhere.path)) {
        try Datasets.cifar10(directory: nowhere)
      }
      #expect(
        throws: DataError.noDataset(
          name: "cifar10", path: parent.path,
          folders: ["cifar-10-batches-bin", "cifar-10-batches-py"], archive: layout.archive,
          archiveIsThere: false)
      ) { try Datasets.cifar10(directory: parent) }
      let download = parent.appendingPathComponent("cifar-10-python.tar.gz")
      try Data([1]).write(to: download)
      let packed = try #require(throws: DataError.self) { try Datasets.cifar10(directory: parent) }
      #expect(
        packed.advice == "unpack it: tar -xzf '\(download.path)' -C '\(parent.path)'")

      let folder = parent.appendingPathComponent(layout.folder)
      try write(cifar, layout: layout, count: 2, in: folder)
      let third = folder.appendingPathComponent(layout.train[2])
      let good = try Data(contentsOf: third)
      func failure(_ bytes: Data?) throws -> DataError {
        if let bytes {
          try bytes.write(to: third)
        } else {
          try FileManager.default.removeItem(at: third)
        }
        return try #require(throws: DataError.self) { try Datasets.cifar10(directory: parent) }
      }
      #expect(
        try failure(good.prefix(4000))
          == .partialRecord(file: third.path, size: 4000, recordBytes: 3073))
      #expect(try failure(Data()) == .emptyFile(file: third.path))
      var impossible = good
      impossible[3073] = 10
      #expect(
        try failure(impossible)
          == .labelOutOfRange(file: third.path, record: 1, offset: 3073, label: 10, classCount: 10))
      let missing = try failure(nil)
      #expect(
        missing
          == .missingFile(file: "data_batch_3.bin", folder: folder.path, archive: layout.archive))
      #expect(missing.advice?.contains("cifar-10-binary.tar.gz") == true)
      #expect(missing.message == "'data_batch_3.bin' is missing in '\(folder.path)'")

      try good.write(to: third)
      let names = folder.appendingPathComponent(layout.names)
      try Data("a\nb\n".utf8).write(to: names)
      #expect(
        throws: DataError.unexpectedContents(
          file: names.path, problem: "2 class names, expected 10")
      ) { try Datasets.cifar10(directory: parent) }
      try Data("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n".utf8).write(to: names)
      #expect(try Datasets.cifar10(directory: parent).classNames.last == "j")
    }
  }

  @Test func messagesSayWhere() {
    #expect(
      DataError.partialRecord(file: "a.bin", size: 4000, recordBytes: 3073).message
        == "'a.bin' has 4000 bytes, no whole number of records of 3073: it ends in record 1 "
        + "(offset 3073), cut off, or is another file")
    #expect(
      DataError.labelOutOfRange(file: "a", record: 7, offset: nil, label: 12, classCount: 10)
        .message
        == "'a', record 7: label 12 is not one of 0...9")
    #expect(
      DataError.pickle(file: "a", problem: .forbiddenGlobal(name: "os.system", offset: 3)).message
        == "'a': the pickle asks for 'os.system' at offset 3, which no data file needs")
    #expect(DataError.limit(0).kind == .usage)
  }
}
