import DSL
import Foundation
import Testing

@testable import Workbench

/// Every example of the help is run, in a folder that has what the examples speak of.
@Suite struct ExampleTests {
  /// Names that the examples use for runs.
  private static let runs = ["quickstart", "first", "a", "b"]

  /// What an example needs before it makes sense.
  private func preparation(_ verb: String) -> [String] {
    let base = [
      "data digits limit=16", "load tf_efficientnetv2_b0",
      "set input-size=32 batch-size=8 warmup-epochs=0 cooldown-epochs=0 epochs=1 max-steps=1",
    ]
    return base + Self.runs.map { "train name=\($0)" }
  }

  /// Examples that need what no test can have; each with the reason.
  private static let unavailable: [String: String] = [
    "load efficientnetv2_rw_s.ra2_in1k pretrained": "released weights",
    "data cifar10 dir=datasets limit=2000": "the CIFAR-10 files",
    "download weights tf_efficientnetv2_b0": "a network; DownloadTests has a server",
    "download cifar10 dir=datasets": "a network",
    "download fashion_mnist dir=datasets": "a network",
    "expect top1 >= 95": "a trained network",
    "expect train_loss == 0.8342 tol=1e-4 run=a": "one certain loss",
    "recover 20260102-101112-4711": "a session that crashed",
  ]

  @Test func everyExampleRuns() throws {
    let folder = try TestFolder()
    let images = BuiltProgram.repository.appending(path: "Tests/Fixtures/data/images")
    let jpeg = try #require(
      try FileManager.default.contentsOfDirectory(atPath: images.path).sorted()
        .first { $0.hasSuffix(".jpg") })
    let flowers = ["rose", "tulip"].flatMap { name in (1...4).map { "flowers/\(name)/\($0).jpg" } }
    for name in ["dog.jpg", "photos/one.jpg"] + flowers {
      try folder.write("", to: name)
      try FileManager.default.removeItem(at: folder.url.appending(path: name))
      try FileManager.default.copyItem(
        at: images.appending(path: jpeg), to: folder.url.appending(path: name))
    }
    try FileManager.default.copyItem(
      at: NotebookImportTests.fixtures.appending(path: "main.ipynb"),
      to: folder.url.appending(path: "main.ipynb"))
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = [
      "tar", "-C", folder.url.path, "-cf", folder.url.path + "/flowers.tar", "flowers",
    ]
    try tar.run()
    tar.waitUntilExit()
    let quickstart = try String(
      contentsOf: BuiltProgram.repository.appending(path: "sessions/quickstart.wb"),
      encoding: .utf8)
    // The script's own text, cut to what takes a second.
    let lines = quickstart.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("expect") }
      .map { $0.replacing("data digits", with: "data digits limit=32") }
    try folder.write(
      lines.joined(separator: "\n").replacing("epochs:int = 20", with: "epochs:int = 1"),
      to: "sessions/quickstart.wb")

    var script = preparation("")
    script.append("save model.wb")
    let setup = try BuiltProgram.run([], in: folder.url, input: script.joined(separator: "\n"))
    #expect(setup.status == 0, "\(setup.errors)")
    try FileManager.default.copyItem(
      at: folder.url.appending(path: "runs/a/ckpt/last.safetensors"),
      to: folder.url.appending(path: "model.safetensors"))

    for command in CommandSet.table.commands {
      for example in command.signature.examples where command.signature.isAllowedInScripts {
        if Self.unavailable[example.text] != nil { continue }
        // Weights that a checkpoint wrote hold the optimizer too.
        let text = example.text.replacing(
          "weights=model.safetensors", with: "weights=model.safetensors strict=off")
        let needsTraining = [
          "eval", "predict", "info", "train", "status", "checkpoint", "features", "lrfind",
          "fork", "export", "gradcam", "show",
        ]
        var input =
          needsTraining.contains(command.signature.name)
          ? script.prefix(3).joined(separator: "\n") + "\n" : ""
        input += text.split(separator: ";").joined(separator: "\n") + "\n"
        if text.contains("save ") {
          input = script.prefix(3).joined(separator: "\n") + "\ntrain name=s\n" + input
        }
        let result = try BuiltProgram.run(["--allow-shell"], in: folder.url, input: input)
        #expect(result.status == 0, "\(example.text): \(result.errors.suffix(600))")
        for leftover in ["mine.wb", "digits.wb", "everything.wb"] {
          try? FileManager.default.removeItem(at: folder.url.appending(path: leftover))
        }
      }
    }
  }

  /// What works at the prompt only is typed there.
  @Test func everyExampleOfThePromptRuns() throws {
    let folder = try TestFolder()
    let cells = (1...4).map { "# %% Cell \($0)\nset lr=0.\($0)\n" }.joined(separator: "\n")
    try folder.write("version 1\n\n" + cells, to: "book.wb")
    let session = try PromptSession(in: folder.url, environment: ["EDITOR": "true"])
    session.expect("workbench>")
    session.type("open book.wb; set epochs=3; set smoothing=0\r")
    session.expect("smoothing  0.1 → 0")
    var count = 0
    for command in CommandSet.table.commands where !command.signature.isAllowedInScripts {
      for example in command.signature.examples where Self.unavailable[example.text] == nil {
        session.type(example.text + "\r")
        session.type("note example \(count)\r")
        let shown = session.expect("note example \(count)")
        #expect(!shown.contains("error:"), "\(example.text): \(shown)")
        count += 1
      }
    }
    #expect(count >= 7)
    session.type("quit --force\r")
    #expect(session.finish() == 0)
  }
}
