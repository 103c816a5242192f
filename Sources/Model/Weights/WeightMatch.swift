/// A file's tensors beside a network's.
struct WeightMatch {
  struct Pair {
    let info: ParameterInfo
    let tensor: WeightTensor
  }

  let blueprint: Blueprint
  let file: WeightFile
  /// Whose names the file has, and what stands before them.
  let recognized: RecognizedScheme
  /// The classes of the file's classifier; nil if it has none that makes sense.
  let fileClassCount: Int?
  /// Whether the classifier's tensors are left out for new ones.
  let isHeadNew: Bool
  /// The tensors that fit.
  private(set) var pairs: [Pair] = []
  private(set) var missing: [ParameterInfo] = []
  private(set) var unexpected: [String] = []
  private(set) var mismatched: [(info: ParameterInfo, mismatch: TensorMismatch)] = []

  /// Compares a file with the network that a head policy asks for.
  /// - Throws: `ArchitectureError.classCount`.
  init(
    _ variant: Variant, _ file: WeightFile, _ recognized: RecognizedScheme, head: HeadPolicy
  ) throws {
    self.file = file
    self.recognized = recognized
    fileClassCount = try Self.classCount(of: file, recognized, variant)
    let classCount: Int
    switch head {
    case .keep:
      classCount = fileClassCount ?? variant.defaultClassCount
      isHeadNew = false
    case .resize(let wanted):
      classCount = wanted
      isHeadNew = fileClassCount != wanted
    }
    blueprint = try Blueprint(variant, classCount: classCount)
    var used: Set<String> = []
    for info in blueprint.parameters.entries {
      let tensor = recognized.tensor(for: info, in: blueprint, file)
      if let tensor { used.insert(tensor.name) }
      compare(info, with: tensor)
    }
    unexpected = recognized.unexpected(in: file, used: used)
    if Checkpoint.isCheckpoint(file.metadata) {
      unexpected.removeAll { Checkpoint.isOptimizerState($0) }
    }
  }

  /// Whether everything fits, the classifier apart if it is to be new.
  var isExact: Bool {
    unexpected.isEmpty && missing.allSatisfy(isLeftOut)
      && mismatched.allSatisfy { isLeftOut($0.info) }
  }

  /// Whether a tensor belongs to a classifier that is to be new.
  func isLeftOut(_ info: ParameterInfo) -> Bool { isHeadNew && info.role.unit == .classifier }

  private mutating func compare(_ info: ParameterInfo, with tensor: WeightTensor?) {
    // That the file has another classifier is said once, as the head's replacement.
    if isLeftOut(info), fileClassCount != nil { return }
    guard let tensor else {
      if info.storage != .counters { missing.append(info) }
      return
    }
    if !isLeftOut(info), fits(tensor, info) {
      pairs.append(Pair(info: info, tensor: tensor))
    } else {
      let mismatch = TensorMismatch(
        name: info.path, fileShape: tensor.shape, fileType: tensor.type,
        networkShape: recognized.scheme.shapes(of: info)[0])
      mismatched.append((info, mismatch))
    }
  }

  private func fits(_ tensor: WeightTensor, _ info: ParameterInfo) -> Bool {
    guard recognized.scheme.shapes(of: info).contains(tensor.shape) else { return false }
    return tensor.type.isReadableAsFloat
      || (info.storage == .counters && tensor.type.isReadableAsInteger)
  }

  /// The outputs of the file's classifier.
  private static func classCount(
    of file: WeightFile, _ recognized: RecognizedScheme, _ variant: Variant
  ) throws -> Int? {
    let blueprint = try Blueprint(variant, classCount: 1)
    let weight = blueprint.parameters.entries.first {
      $0.role.unit == .classifier && $0.role.part == .weight
    }
    guard let weight,
      let shape = recognized.tensor(for: weight, in: blueprint, file)?.shape, shape.count == 2
    else { return nil }
    return recognized.scheme.order == .outputsLast ? shape[1] : shape[0]
  }

  // MARK: Reading

  /// Copies one tensor of the file into the engine's layout.
  /// - Throws: `WeightError.damagedContainer`.
  func read(
    _ pair: Pair, to target: UnsafeMutablePointer<Float>, scratch: inout [Float]
  ) throws {
    let (scheme, info) = (recognized.scheme, pair.info)
    try file.withFloats(pair.tensor, scratch: &scratch) { scheme.place($0, to: target, info) }
  }
}
