public import Foundation

/// Makes networks with the weights of a file.
public enum WeightLoader {
  /// Makes a network of a variant with the weights of a safetensors file that uses timm's names.
  ///
  /// - Parameters:
  ///   - head: what becomes of the file's classifier.
  ///   - seed: decides the values of what the file does not give; a new classifier depends on it
  ///     and on nothing else.
  ///   - strict: whether missing, unexpected or mismatched tensors are an error, the classifier
  ///     apart that `head` replaces; otherwise what fits is taken.
  /// - Throws: `WeightError`, `ArchitectureError.classCount`.
  public static func load(
    _ variant: Variant, from url: URL, head: HeadPolicy, seed: UInt64, strict: Bool
  ) throws -> (network: Network, report: LoadReport) {
    let file = try SafeTensors.File(contentsOf: url)
    let match = try WeightMatch(variant, file, head: head)
    guard match.isExact || !strict else {
      throw WeightError.doesNotFit(
        Misfit(
          file: url.path, variant: variant.name,
          missing: match.missing.filter { !match.isLeftOut($0) }.map(\.path),
          unexpected: match.unexpected,
          mismatched: match.mismatched.filter { !match.isLeftOut($0.info) }.map(\.mismatch),
          looksLike: otherVariants(fitting: file, than: variant)))
    }
    guard !match.pairs.isEmpty else {
      throw WeightError.nothingFits(
        url.path, variant: variant.name, examples: Array(match.unexpected.prefix(3)))
    }
    let network = Network(uninitialized: match.blueprint)
    fill(network.parameters, match, from: file, seed: seed)
    return (network, report(match))
  }

  private static func fill(
    _ store: ParameterStore, _ match: WeightMatch, from file: SafeTensors.File, seed: UInt64
  ) {
    let given = Set(match.pairs.map(\.info.path))
    for info in store.table.entries where !given.contains(info.path) {
      store.initialize(info, seed: seed)
    }
    var scratch: [Float] = []
    for pair in match.pairs {
      let info = pair.info
      switch info.storage {
      case .counters: store.counters[info.offset] = file.integer(pair.tensor)
      case .weights, .buffers:
        let target = (info.storage == .weights ? store.weights : store.buffers) + info.offset
        file.withFloats(pair.tensor, scratch: &scratch) {
          info.layout.fromTimm($0, to: target, shape: info.shape)
        }
      }
    }
  }

  private static func report(_ match: WeightMatch) -> LoadReport {
    var headReplaced: (from: Int, to: Int)?
    if match.isHeadNew, let count = match.fileClassCount {
      headReplaced = (from: count, to: match.blueprint.classCount)
    }
    return LoadReport(
      scheme: "timm", fileClassCount: match.fileClassCount,
      loaded: match.pairs.map(\.info.path), missing: match.missing.map(\.path),
      unexpected: match.unexpected, mismatched: match.mismatched.map(\.mismatch),
      converted: match.pairs.filter { $0.info.storage != .counters && $0.tensor.type != .float32 }
        .map(\.info.path),
      headReplaced: headReplaced)
  }

  /// The other variants of the table that have exactly the tensors of a file.
  private static func otherVariants(
    fitting file: SafeTensors.File, than variant: Variant
  ) -> [String] {
    Variant.all.filter { other in
      guard other.name != variant.name else { return false }
      // A classifier that makes no sense for one variant makes none for any.
      guard let match = try? WeightMatch(other, file, head: .keep) else { return false }
      return match.isExact
    }.map(\.name)
  }
}
