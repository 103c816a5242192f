/// A file's tensors beside a network's.
struct WeightMatch {
  struct Pair {
    let info: ParameterInfo
    /// One, or as many as the scheme cuts the outputs into.
    let tensors: [WeightTensor]
    /// How positions become those of the network's patches, where they are of others.
    let resize: PositionResize?
  }

  let blueprint: Blueprint
  let file: WeightFile
  /// Whose names the file has, and what stands before them.
  let recognized: RecognizedScheme
  /// The classes of the file's classifier; nil if it has none that makes sense.
  let fileClassCount: Int?
  /// Whether the classifier's tensors are left out for new ones: it has other classes than are
  /// wanted, or the features of a simpler pooling.
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
    let shape = try Self.classifierShape(of: file, recognized, variant)
    fileClassCount = shape?.outputs
    let isSimpler = shape.map { variant.doubles($0.inputs) } ?? false
    let classCount: Int
    switch head {
    case .keep, .follow:
      classCount = fileClassCount ?? variant.defaultClassCount
      isHeadNew = head == .follow && isSimpler
    case .resize(let wanted):
      classCount = wanted
      isHeadNew = fileClassCount != wanted || isSimpler
    }
    blueprint = try Blueprint(variant, classCount: classCount)
    var used: Set<String> = []
    for info in blueprint.parameters.entries {
      let tensors = recognized.tensors(for: info, in: blueprint, file)
      let present = tensors.compactMap { $0 }
      used.formUnion(present.map(\.name))
      compare(info, with: present.count == tensors.count ? present : [])
    }
    unexpected = recognized.unexpected(in: file, used: used)
    if Checkpoint.isCheckpoint(file.metadata) {
      unexpected.removeAll { Checkpoint.isTrainingState($0) }
    }
  }

  /// Whether everything fits, the classifier apart if it is to be new.
  var isExact: Bool {
    unexpected.isEmpty && missing.allSatisfy(isLeftOut)
      && mismatched.allSatisfy { isLeftOut($0.info) }
  }

  /// The positions that are resized.
  var resize: PositionResize? { pairs.lazy.compactMap(\.resize).first }

  /// Whether a tensor belongs to a classifier that is to be new.
  func isLeftOut(_ info: ParameterInfo) -> Bool { isHeadNew && info.role.unit == .classifier }

  private mutating func compare(_ info: ParameterInfo, with tensors: [WeightTensor]) {
    // That the file has another classifier is said once, as the head's replacement.
    if isLeftOut(info), fileClassCount != nil { return }
    guard let first = tensors.first else {
      if info.storage != .counters { missing.append(info) }
      return
    }
    let shapes = recognized.scheme.shapes(of: info, in: blueprint)
    let resize = PositionResize(first.shape, to: info)
    let misfit = tensors.first {
      !(shapes.contains($0.shape) || resize != nil) || !hasNumbers($0, for: info)
    }
    if !isLeftOut(info), misfit == nil {
      pairs.append(Pair(info: info, tensors: tensors, resize: resize))
    } else {
      let wrong = misfit ?? first
      let mismatch = TensorMismatch(
        name: info.path, fileShape: wrong.shape, fileType: wrong.type, networkShape: shapes[0])
      mismatched.append((info, mismatch))
    }
  }

  private func hasNumbers(_ tensor: WeightTensor, for info: ParameterInfo) -> Bool {
    tensor.type.isReadableAsFloat
      || (info.storage == .counters && tensor.type.isReadableAsInteger)
  }

  /// The features and the outputs of the file's classifier.
  private static func classifierShape(
    of file: WeightFile, _ recognized: RecognizedScheme, _ variant: Variant
  ) throws -> (inputs: Int, outputs: Int)? {
    let blueprint = try Blueprint(variant, classCount: 1)
    let weight = blueprint.parameters.entries.first {
      $0.role.unit == .classifier && $0.role.part == .weight
    }
    guard let weight,
      let shape = recognized.tensors(for: weight, in: blueprint, file).first??.shape,
      shape.count == 2
    else { return nil }
    return recognized.scheme.order == .outputsLast ? (shape[0], shape[1]) : (shape[1], shape[0])
  }

  // MARK: Reading

  /// Copies one tensor of the network from the file into the engine's layout.
  /// - Throws: `WeightError.damagedContainer`.
  func read(
    _ pair: Pair, to target: UnsafeMutablePointer<Float>, scratch: inout [Float]
  ) throws {
    let (scheme, info) = (recognized.scheme, pair.info)
    for (part, tensor) in pair.tensors.enumerated() {
      try file.withFloats(tensor, scratch: &scratch) { source in
        if let resize = pair.resize {
          resize.apply(source, to: target)
        } else {
          scheme.place(source, to: target, info, part: part, of: pair.tensors.count)
        }
      }
    }
  }
}
