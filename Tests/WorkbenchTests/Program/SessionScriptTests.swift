import Foundation
import Testing

/// The scripts in `sessions/`, as somebody replays them who has just unpacked the program.
@Suite struct SessionScriptTests {
  private static let folder = BuiltProgram.repository.appending(path: "sessions")

  static let scripts: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".wb") }.sorted()
  }()

  @Test func thereAreScripts() { #expect(Self.scripts.count >= 10) }

  @Test(arguments: scripts) func scriptsPassTheCheck(name: String) throws {
    let place = try TestFolder()
    let file = Self.folder.appending(path: name).path
    let result = try BuiltProgram.run(["check", file], in: place.url)
    expectSound(result)
    #expect(!result.errors.contains("warning"), "\(result.errors)")
  }

  /// A script is sound if nothing is wrong but what is not on this machine: its data and its weights.
  private func expectSound(_ result: BuiltProgram.Result) {
    let errors = result.errors.split(separator: "\n").filter { $0.contains(": error: ") }
    #expect(result.status == (errors.isEmpty ? 0 : 7), "\(result.errors)")
    for error in errors {
      let isMissing =
        error.contains("there is no 'datasets'") || error.contains("there is no 'pictures'")
        || error.contains("weights of")
      #expect(isMissing, "\(error)")
    }
  }

  /// The values that make a script a matter of seconds, and a picture that it ends with.
  static let short: [(script: String, parameters: [String], picture: String)] = [
    ("mixup.wb", ["epochs=2", "limit=64"], "mixup-top1.png"),
    ("head-first.wb", ["epochs=3", "limit=64"], "head-first-top1.png"),
    ("ema.wb", ["epochs=2", "limit=64"], "ema-loss.png"),
    ("from-scratch.wb", ["epochs=1", "limit=80"], "from-scratch-top1.png"),
    ("progressive.wb", ["epochs=3", "limit=80"], "progressive-loss.png"),
    ("gallery.wb", ["epochs=1", "limit=64"], "gallery-confusion.png"),
    ("presets.wb", ["epochs=1", "staged=1", "limit=80"], "presets-top1.png"),
    ("cifar10-finetune.wb", ["epochs=1", "limit=80"], "cifar10-finetune-loss.png"),
  ]

  @Test(arguments: short.map(\.script)) func scriptsReplayInShort(name: String) throws {
    let test = try #require(Self.short.first { $0.script == name })
    let place = try TestFolder()
    try Self.writeCIFAR(to: place)
    let weights = try BuiltProgram.run(
      [
        "-c",
        "load tf_efficientnetv2_b0; save-weights home/weights/tf_efficientnetv2_b0.safetensors",
      ],
      in: place.url)
    #expect(weights.status == 0, "\(weights.errors)")
    let result = try BuiltProgram.run(
      ["replay", Self.folder.appending(path: name).path] + test.parameters.flatMap { ["-p", $0] },
      in: place.url)
    #expect(result.status == 0, "\(result.errors.suffix(2000))")
    let picture = try Data(contentsOf: place.url.appending(path: test.picture))
    #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]))
  }

  /// Sixteen images in each of CIFAR-10's files, in its binary layout.
  private static func writeCIFAR(to place: TestFolder) throws {
    let folder = place.url.appending(path: "datasets/cifar-10-batches-bin")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (number, name) in ((1...5).map { "data_batch_\($0)" } + ["test_batch"]).enumerated() {
      var bytes: [UInt8] = []
      for record in 0..<16 {
        bytes.append(UInt8(record % 10))
        bytes += (0..<3072).map { UInt8(truncatingIfNeeded: $0 &* (record + 3) &+ number) }
      }
      try Data(bytes).write(to: folder.appending(path: "\(name).bin"))
    }
  }
}
