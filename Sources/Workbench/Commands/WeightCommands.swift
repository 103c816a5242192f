import DSL
import Foundation
import Model

// `save-weights`, and the part of `info` that looks into files of weights.

enum WeightCommands {
  static let all: [Command<WorkbenchState>] = [saveWeights]

  private static let saveWeights = Command<WorkbenchState>(
    Signature(
      "save-weights", group: "model", "Writes the network's weights to a file for other programs.",
      discussion: """
        The ending decides the format: .safetensors (with a config.json beside it, so that timm \
        loads the folder as 'local-dir:FOLDER'), .pth (a state dict for torch.load) or .npz (for \
        numpy.load). The names are timm's. What stood in the file is replaced.
        """,
      positionals: [
        Positional("file", .path(.output), "FILE.safetensors, FILE.pth or FILE.npz")
      ],
      effect: .change, reads: [.slot("model")], writes: [.argument("file", prefix: "file:")],
      examples: [
        Example("load tf_efficientnetv2_b0; save-weights out/model.safetensors", "for timm"),
        Example("load tf_efficientnetv2_b0; save-weights b0.pth", "for PyTorch"),
      ])
  ) { invocation, state in
    let model = try state.requireModel()
    let url = state.places.output(invocation.requiredString("file"))
    let format: WeightFormat
    do {
      format = try WeightFormat(of: url)
    } catch let error as any ModelError {
      throw CommandError(error.message, hint: error.advice, argument: "file")
    }
    try FileWriting.makeFolder(of: url)
    try WeightWriter.write(model.network, to: url, as: format)
    state.console.note("wrote \(state.places.display(url))")
    guard format == .safeTensors else { return }
    let configuration = HubConfiguration(
      model.network, state.settings(for: model).preprocessing)
    let isWritten = try configuration.write(beside: url)
    let place = state.places.display(HubConfiguration.url(beside: url))
    state.console.note(
      isWritten ? "wrote \(place)" : "left \(place) as it is: it describes something else")
  }

  /// `info FILE`: what a file holds, without its numbers.
  static func inspect(_ path: String, _ invocation: Invocation, _ state: WorkbenchState) throws {
    let url = state.places.input(path)
    let file: WeightFile
    do {
      file = try WeightFile.open(url)
    } catch let error as WeightError {
      // A mistyped topic is taken for a file that is not there.
      if case .unreadable = error, !path.contains("/"), !path.contains(".") {
        throw CommandError(
          "'\(path)' is no topic of info, and no file",
          hint: "topics: model, params, classifier, transform, layers, memory, data",
          argument: "topic")
      }
      throw error
    }
    let contents = WeightContents(file)
    if invocation.has("json") || invocation.has("csv") || state.console.isForPrograms {
      try state.show(WeightReport.tensors(file), as: invocation)
    } else {
      let digest = try file.sha256(knownBy: DigestCache(file: HomeFolder.digests))
      state.console.write(WeightReport.summary(contents, sha256: digest, state))
      try state.show(WeightReport.tensors(file), as: invocation)
    }
  }
}
