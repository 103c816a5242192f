/// A file's tensors beside a network's.
struct WeightMatch {
  struct Pair {
    let info: ParameterInfo
    let tensor: SafeTensors.Tensor
  }

  let blueprint: Blueprint
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
  init(_ variant: Variant, _ file: SafeTensors.File, head: HeadPolicy) throws {
    fileClassCount = Self.classCount(of: file, variant)
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
    for info in blueprint.parameters.entries { compare(info, with: file[info.path]) }
    unexpected = file.tensors.map(\.name).filter { blueprint.parameters[$0] == nil }
    if Checkpoint.isCheckpoint(file) {
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

  private mutating func compare(_ info: ParameterInfo, with tensor: SafeTensors.Tensor?) {
    // That the file has another classifier is said once, as the head's replacement.
    if isLeftOut(info), fileClassCount != nil { return }
    guard let tensor else {
      if info.storage != .counters { missing.append(info) }
      return
    }
    if !isLeftOut(info), Self.fits(tensor, info) {
      pairs.append(Pair(info: info, tensor: tensor))
    } else {
      let mismatch = TensorMismatch(
        name: info.path, fileShape: tensor.shape, fileType: tensor.type,
        networkShape: info.timmShape)
      mismatched.append((info, mismatch))
    }
  }

  private static func fits(_ tensor: SafeTensors.Tensor, _ info: ParameterInfo) -> Bool {
    switch info.storage {
    case .weights, .buffers:
      tensor.type.isReadableAsFloat && tensor.shape == info.timmShape
    case .counters:
      // Tools without single numbers write an array of one.
      (tensor.type.isReadableAsInteger || tensor.type.isReadableAsFloat)
        && (tensor.shape.isEmpty || tensor.shape == [1])
    }
  }

  private static func classCount(of file: SafeTensors.File, _ variant: Variant) -> Int? {
    guard let shape = file[variant.classifierPath + ".weight"]?.shape, shape.count == 2 else {
      return nil
    }
    return shape[0]
  }
}
