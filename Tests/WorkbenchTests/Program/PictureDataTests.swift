import Foundation
import Model
import Testing

@testable import Workbench

/// The user's own pictures through the built program.
@Suite struct PictureDataTests {
  /// Three classes of ten pictures, each of its own colour, with a broken file if wanted.
  private func folder(broken: Bool = false) throws -> TestFolder {
    let folder = try TestFolder()
    for (label, name) in ["red", "green", "blue"].enumerated() {
      for number in 0..<10 {
        var pixels = [UInt8](repeating: UInt8(20 + number), count: 3 * 64)
        for pixel in 0..<64 { pixels[3 * pixel + label] = 200 }
        let file = "colors/\(name)/\(number).png"
        try folder.write("", to: file)
        try Data(ImageCodec.encodePNG(ImageRGB(width: 8, height: 8, pixels: pixels)))
          .write(to: folder.url.appending(path: file))
      }
    }
    if broken { try folder.write("text", to: "colors/red/broken.png") }
    return folder
  }

  private static let settings =
    "load tf_efficientnetv2_b0; set input-size=32 batch-size=8 epochs=2 warmup-epochs=0 "
    + "cooldown-epochs=0 hflip=0"

  private func run(_ script: String, _ folder: TestFolder) throws -> BuiltProgram.Result {
    try BuiltProgram.run(["-c", script], in: folder.url)
  }

  @Test func aFolderIsTrainedOnAndResumed() throws {
    let folder = try folder()
    let whole = try run(
      "data folder dir=colors; \(Self.settings) sampler=balanced; train name=a", folder)
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(whole.output.contains("24 to train, 6 to test"))
    #expect(whole.errors.contains("20% of each class were set aside"))
    let stopped = try run(
      "data folder dir=colors cache=off; \(Self.settings) sampler=balanced workers=3; "
        + "train name=b stop-at=4; eval", folder)
    #expect(stopped.status == 0, "\(stopped.errors)")
    // In another process, with the data as the run had it.
    let resumed = try run("resume b", folder)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.errors.contains("loaded colors"))
    #expect(try folder.metrics("a") == folder.metrics("b"))
    #expect(try folder.weights("a", classes: 3) == folder.weights("b", classes: 3))

    // Looking changes nothing.
    let watched = try run(
      "data folder dir=colors; \(Self.settings) sampler=balanced; train name=c stop-at=4; "
        + "eval tta=10crop; eval predictions split=train > c.csv; data verify; resume c", folder)
    #expect(watched.status == 0, "\(watched.errors)")
    #expect(try folder.weights("a", classes: 3) == folder.weights("c", classes: 3))

    let looks = try run(
      "eval a; eval a per-class; eval a confusion > c.csv; eval a calibration; "
        + "eval a predictions > p.csv; eval a tta=10crop crop-pct=0.8 input-size=40; "
        + "eval a split=train --json; eval a confusion > c.json; resume a epochs=3", folder)
    #expect(looks.status == 0, "\(looks.errors)")
    #expect(looks.output.contains("precision") && looks.output.contains("confidence"))
    #expect(looks.output.contains("\"images\":24"))
    let matrix = try folder.text("c.csv").split(separator: "\n")
    #expect(matrix.count == 4 && matrix[0] == "class,blue,green,red")
    let counts = matrix.dropFirst().map {
      $0.split(separator: ",").dropFirst().compactMap { Int($0) }
    }
    #expect(counts.map { $0.reduce(0, +) } == [2, 2, 2])
    #expect(try folder.text("c.json").contains("\"class\":\"blue\""))
    let rows = try folder.text("p.csv").split(separator: "\n")
    #expect(rows.count == 7)
    #expect(
      rows[0] == "index,file,label,class,probability,class2,probability2,class3,probability3")
    #expect(rows[1].hasPrefix("0,blue/") && rows[1].contains(".png,blue,"))

    // Files that changed are other data.
    try FileManager.default.removeItem(at: folder.url.appending(path: "colors/red/3.png"))
    let changed = try run("resume b epochs=+1", folder)
    #expect(changed.status == 7 && changed.errors.contains("has changed since it was trained"))
  }

  @Test func brokenFilesAreReported() throws {
    let folder = try folder(broken: true)
    let verified = try run("data folder dir=colors; data verify", folder)
    #expect(verified.status == 7)
    #expect(verified.errors.contains("1 of 31 pictures are broken"))
    #expect(verified.output.contains("red/broken.png"))
    let table = try run("data folder dir=colors; data verify --csv", folder)
    #expect(table.output.contains("\ncolors train,red/broken.png,"))
    let stopped = try run(
      "data folder dir=colors val-fraction=0.1; \(Self.settings); eval split=train", folder)
    #expect(stopped.status == 7, "\(stopped.errors)")
    #expect(stopped.errors.contains("colors/red/broken.png': neither a JPEG nor a PNG picture"))
    #expect(stopped.errors.contains("broken=skip leaves them out"))
    let skipped = try run(
      "data folder dir=colors broken=skip; data verify; \(Self.settings); train name=a", folder)
    #expect(skipped.status == 0, "\(skipped.errors)")
    #expect(skipped.errors.contains("left out: cannot decode"))
    #expect(skipped.output.contains("all 30 pictures are sound"))
    let resumed = try run("resume a epochs=3", folder)
    #expect(resumed.status == 0, "\(resumed.errors)")
  }

  @Test func validationIsSetAside() throws {
    let folder = try TestFolder()
    let result = try run(
      "data digits limit=60 val-fraction=0.2 split-seed=5; \(Self.settings); train name=a; "
        + "eval split=val --json; eval --json", folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("60 to train, 60 to validate, 60 to test"))
    let best = try #require(try folder.metrics("a").last?.split(separator: ",")[4])
    #expect(result.output.contains("\"loss\":\(best),"))
    let resumed = try run("resume a epochs=3; eval a split=val", folder)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let none = try run("data digits; \(Self.settings); eval split=val", folder)
    #expect(none.status == 3 && none.errors.contains("val-fraction=0.1"))
  }

  @Test func whatIsThereIsNotFetched() throws {
    let folder = try TestFolder()
    let batch = BuiltProgram.repository
      .appending(path: "Tests/Fixtures/data/cifar-10-batches-bin/test_batch.bin")
    for name in (1...5).map({ "data_batch_\($0).bin" }) + ["test_batch.bin"] {
      try folder.write("", to: "files/cifar-10-batches-bin/\(name)")
      try Data(contentsOf: batch).write(
        to: folder.url.appending(path: "files/cifar-10-batches-bin/\(name)"))
    }
    let result = try run("data cifar10 dir=files download", folder)
    #expect(
      result.status == 0 && result.output.contains("20 to train, 4 to test"), "\(result.errors)")
    #expect(!result.errors.contains("http"))
  }

  @Test func argumentsMustFitTheDataSet() throws {
    let folder = try folder()
    for (script, status, words) in [
      ("data folder", 3, "data folder dir=PATH"),
      ("data tar dir=colors", 3, "data tar file=PATH"),
      ("data tar file=colors/red/1.png", 7, "is no tar archive"),
      ("data folder dir=nowhere", 7, "there is no 'nowhere'"),
      ("data digits file=x", 3, "file= is for"),
      ("data digits download", 3, "cannot be fetched"),
      ("data digits split-seed=1", 3, "decides nothing without"),
      ("data verify", 3, "no data is loaded"),
      ("data digits; data verify limit=3", 3, "takes no limit="),
      ("data digits --json", 3, "'data verify'"),
      ("data mnist dir=colors", 7, "train-images-idx3-ubyte"),
      ("data folder dir=colors class-map=none.txt", 7, "there is no 'none.txt'"),
      ("data digits; load tf_efficientnetv2_b0; eval confusion per-class", 3, "one table"),
    ] {
      let result = try run(script, folder)
      #expect(result.status == Int32(status), "\(script): \(result.errors)")
      #expect(result.errors.contains(words), "\(script): \(result.errors)")
    }
  }
}
