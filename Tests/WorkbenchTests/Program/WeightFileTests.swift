import Foundation
import Testing

/// Files of weights at the prompt and on the command line.
@Suite struct WeightFileTests {
  private static let fixtures = BuiltProgram.repository.appending(path: "Tests/Fixtures/weights")

  private func run(_ arguments: [String], _ folder: TestFolder) throws -> BuiltProgram.Result {
    try BuiltProgram.run(arguments, in: folder.url)
  }

  @Test func weightsGoOutAndComeBack() throws {
    let folder = try TestFolder()
    var digests: Set<String> = []
    for name in ["out/model.safetensors", "b0.pth", "b0.npz"] {
      let written = try run(
        ["-c", "load tf_efficientnetv2_b0 classes=7; save-weights \(name)"], folder)
      #expect(written.status == 0, "\(written.errors)")
      #expect(written.errors.contains("wrote \(name)"))
      let read = try run(
        ["-c", "load tf_efficientnetv2_b0 weights=\(name); save-weights back.safetensors"], folder)
      #expect(read.status == 0, "\(read.errors)")
      #expect(read.errors.contains("timm: 420 tensors loaded"))
      #expect(read.output.contains("out_features=7"))
      digests.insert(
        try Data(contentsOf: folder.url.appending(path: "back.safetensors")).base64EncodedString())
    }
    #expect(digests.count == 1)
    #expect(try folder.text("out/config.json").contains("tf_efficientnetv2_b0"))
    let wrong = try run(["-c", "load tf_efficientnetv2_b0; save-weights b0.onnx"], folder)
    #expect(wrong.status == 3 && wrong.errors.contains("FILE.pth"))
    #expect(!folder.exists("b0.onnx"))
  }

  @Test func aFileIsShownWithoutLoadingIt() throws {
    let folder = try TestFolder()
    let file = Self.fixtures.appending(path: "mini-google.index").path
    let shown = try run(["-c", "info \(file)"], folder)
    #expect(shown.status == 0, "\(shown.errors)")
    for text in [
      "TensorFlow checkpoint", "131", "google's, after 'efficientnetv2-mini/'", "no model",
      "3×3×3×8",
    ] { #expect(shown.output.contains(text), "\(text)") }
    let rows = try run(["-c", "info \(file) --json"], folder)
    #expect(rows.output.split(separator: "\n").count { $0.hasPrefix("  {") } == 131)
    let mistyped = try run(["-c", "info parms"], folder)
    #expect(mistyped.status == 3 && mistyped.errors.contains("topics: model, params"))
    let evil = try run(["-c", "info \(Self.fixtures.appending(path: "evil.pth").path)"], folder)
    #expect(evil.status == 7 && evil.errors.contains("'posix.system' at offset 188"))
  }

  @Test func filesAreConvertedFromTheCommandLine() throws {
    let folder = try TestFolder()
    let input = Self.fixtures.appending(path: "mini-keras.weights.h5").path
    let done = try run(["convert", input, "mini.npz"], folder)
    #expect(done.status == 0, "\(done.errors)")
    #expect(done.errors.contains("65 tensors (HDF5, names kept as they are)"))
    #expect(folder.exists("mini.npz"))
    #expect(try run(["convert", input, "mini.onnx"], folder).status == 3)
    #expect(try run(["convert", "absent.pth", "mini.pth"], folder).status == 7)
    #expect(!folder.exists("mini.pth") && !folder.exists("mini.pth.tmp"))
    #expect(try run(["convert", input], folder).status == 2)
  }
}
