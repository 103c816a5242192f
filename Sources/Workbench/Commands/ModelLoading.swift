import DSL
import Foundation
import Model

/// Builds networks for `load`.
enum ModelLoading {
  /// A network with new weights, or those of a file.
  ///
  /// - Parameter sha256: what the file's digest must be; nil for anything.
  static func load(
    _ variant: Variant, file: URL?, classes: LoadedModel.Classes, strict: Bool, sha256: String?,
    _ state: WorkbenchState
  ) throws -> LoadedModel {
    let seed = state.seed
    guard let file else {
      let count: Int
      switch classes {
      case .auto: count = state.data?.classCount ?? variant.defaultClassCount
      case .count(let wanted): count = wanted
      case .keep: count = variant.defaultClassCount
      }
      let network = Network(try Blueprint(variant, classCount: count), seed: seed)
      return LoadedModel(
        variant: variant, network: network, classes: classes, weights: .scratch(seed: seed))
    }
    let opened = try WeightFile.open(file)
    let digest = try opened.sha256()
    if let sha256, sha256.lowercased() != digest {
      throw CommandError(
        "\(opened.url.path) has the SHA-256 \(digest), expected \(sha256)",
        hint: "it is not the file that the script was written with", argument: "sha256",
        exitCode: 7)
    }
    let head: HeadPolicy
    switch classes {
    case .keep: head = .keep
    case .count(let count): head = .resize(classCount: count)
    case .auto: head = state.data.map { .resize(classCount: $0.classCount) } ?? .keep
    }
    let loaded = try WeightLoader.load(
      variant, from: opened, head: head, seed: seed, strict: strict, digest: digest)
    state.console.note(WeightReport.loading(loaded.report))
    loaded.report.warnings.forEach(state.console.warn)
    return LoadedModel(
      variant: variant, network: loaded.network, classes: classes,
      weights: .file(opened.url, sha256: digest))
  }
}
