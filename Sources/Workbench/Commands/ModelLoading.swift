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
    let digest = try Model.sha256(of: file)
    if let sha256, sha256.lowercased() != digest {
      throw CommandError(
        "\(file.path) has the SHA-256 \(digest), expected \(sha256)",
        hint: "it is not the file that the script was written with", argument: "sha256",
        exitCode: 7)
    }
    let head: HeadPolicy
    switch classes {
    case .keep: head = .keep
    case .count(let count): head = .resize(classCount: count)
    case .auto: head = state.data.map { .resize(classCount: $0.classCount) } ?? .keep
    }
    let loaded = try WeightLoader.load(variant, from: file, head: head, seed: seed, strict: strict)
    state.console.note(report(loaded.report))
    return LoadedModel(
      variant: variant, network: loaded.network, classes: classes,
      weights: .file(file, sha256: digest))
  }

  /// What was taken from a file and what was not.
  private static func report(_ report: LoadReport) -> String {
    var lines = ["\(report.scheme): \(report.loaded.count) tensors loaded"]
    func list(_ names: [String], _ what: String) {
      guard !names.isEmpty else { return }
      let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
      lines.append("\(names.count) \(what): \(shown)")
    }
    list(report.missing, "missing, new weights in their place")
    list(report.unexpected, "not used")
    list(report.mismatched.map(\.description), "of another shape, new weights in their place")
    if let head = report.headReplaced {
      lines.append("the classifier of \(head.from) classes was replaced by a new one of \(head.to)")
    }
    return lines.joined(separator: "\n")
  }
}
