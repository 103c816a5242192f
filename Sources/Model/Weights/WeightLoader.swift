public import Foundation

/// What becomes of the classifier when the file's classes are not those that are wanted.
public enum HeadPolicy: String, Sendable, CaseIterable {
  /// A new classifier is drawn for the wanted number of classes.
  case replace
  /// The file's classifier stays, and with it the file's number of classes.
  case keep
}

/// Makes networks from weight files.
public enum WeightLoader {
  /// Loads a safetensors file with timm's keys.
  ///
  /// - Parameters:
  ///   - classCount: the classes that are wanted; nil means the file's own.
  ///   - head: what becomes of the classifier when the file has another number of classes.
  ///   - strict: whether a missing, unexpected or misshapen tensor is an error. A replaced
  ///     classifier is none, nor are missing `num_batches_tracked`, which old files lack.
  ///   - seed: the seed of everything that the file does not provide.
  /// - Throws: `WeightError` for a file that cannot be read or does not fit,
  ///   `ArchitectureError.classCount`.
  public static func load(
    _ file: URL, variant: Variant, classCount: Int? = nil, head: HeadPolicy = .replace,
    strict: Bool = true, seed: UInt64 = 0
  ) throws -> (network: Network, report: LoadReport) {
    let source = try SafeTensors(file)
    let keys = StrippedKeys(source)
    let found = keys["classifier.weight"].flatMap { $0.shape.count == 2 ? $0.shape[0] : nil }
    let wanted = classCount ?? found ?? variant.defaultClassCount
    let headReplaced: Bool
    let classes: Int
    if head == .keep, let found {
      (classes, headReplaced) = (found, false)
    } else {
      (classes, headReplaced) = (wanted, found != wanted)
    }

    let network = Network(uninitialized: try Blueprint(variant, classCount: classes))
    let report = try fill(
      network, from: source, keys, skippingHead: headReplaced, sourceClassCount: found, seed: seed)
    guard report.isComplete || !strict else {
      throw WeightError.mismatch(report, model: variant.name)
    }
    return (network, report)
  }

  private static func fill(
    _ network: Network, from source: SafeTensors, _ keys: StrippedKeys, skippingHead: Bool,
    sourceClassCount: Int?, seed: UInt64
  ) throws -> LoadReport {
    let store = network.parameters
    var loaded: [String] = []
    var missing: [String] = []
    var mismatched: [LoadReport.Mismatch] = []
    var known: Set<String> = []
    for info in store.table.entries {
      known.insert(info.path)
      guard !(skippingHead && info.role.unit == .classifier), let tensor = keys[info.path] else {
        store.initialize(info, seed: seed)
        let isOptional = info.storage == .counters
        if !isOptional && !(skippingHead && info.role.unit == .classifier) {
          missing.append(info.path)
        }
        continue
      }
      guard tensor.shape == info.timmShape else {
        store.initialize(info, seed: seed)
        mismatched.append(
          LoadReport.Mismatch(key: info.path, found: tensor.shape, expected: info.timmShape))
        continue
      }
      switch info.storage {
      case .counters:
        store.counters[info.offset] = try source.integers(tensor)[0]
      case .weights, .buffers:
        let target = info.storage == .weights ? store.weights : store.buffers
        info.layout.fromTimm(
          try source.floats(tensor), to: target + info.offset, shape: info.shape)
      }
      loaded.append(info.path)
    }
    return LoadReport(
      path: source.path, sha256: try sha256(of: URL(fileURLWithPath: source.path)),
      scheme: "timm", loaded: loaded, missing: missing,
      unexpected: keys.names.filter { !known.contains($0) }, mismatched: mismatched,
      sourceClassCount: sourceClassCount, headReplaced: skippingHead)
  }
}

/// A file's tensors by their keys without the prefixes that PyTorch's wrappers add.
private struct StrippedKeys {
  /// The keys, in the file's order.
  let names: [String]
  private let tensors: [String: SafeTensors.Tensor]

  init(_ file: SafeTensors) {
    let prefixes = ["module.", "_orig_mod."]
    let prefix =
      prefixes.first { prefix in
        !file.tensors.isEmpty && file.tensors.allSatisfy { $0.name.hasPrefix(prefix) }
      } ?? ""
    names = file.tensors.map { String($0.name.dropFirst(prefix.count)) }
    tensors = Dictionary(zip(names, file.tensors)) { first, _ in first }
  }

  subscript(name: String) -> SafeTensors.Tensor? { tensors[name] }
}
