/// Every tensor of a network, in timm's state-dict order.
///
/// The table is made by one walk over the blueprint, and it alone says what is allocated where, how
/// it starts, what decays, what it is called in a file and how it is laid out there.
///
/// In the flat weight buffer the decaying tensors come first, then the others, so that an optimizer
/// step is two flat loops. Every tensor starts at a multiple of 16 elements; the gaps hold zeros,
/// and zeros with zero gradients stay zeros under every optimizer.
public struct ParameterTable: Sendable {
  /// The tensors, in timm's state-dict order.
  public let entries: [ParameterInfo]
  /// The part of the flat weight buffer that weight decay applies to.
  public let decayingRange: Range<Int>
  /// The rest of the flat weight buffer: biases, norm scales and shifts.
  public let plainRange: Range<Int>
  /// The elements of the flat buffer of running statistics.
  public let bufferExtent: Int
  /// The number of integer counters.
  public let counterCount: Int

  private let indices: [String: Int]

  /// The elements of the flat weight buffer, gaps included.
  public var weightExtent: Int { plainRange.upperBound }
  /// The number of trained parameters, as every other library counts them.
  public var parameterCount: Int {
    entries.reduce(0) { $0 + ($1.storage == .weights ? $1.count : 0) }
  }
  /// The number of running means and variances.
  public var bufferCount: Int {
    entries.reduce(0) { $0 + ($1.storage == .buffers ? $1.count : 0) }
  }

  /// The tensor with a timm key; nil if the network has none of that name.
  public subscript(path: String) -> ParameterInfo? { indices[path].map { entries[$0] } }

  /// The tensor that a layer of the blueprint refers to.
  public subscript(reference: ParameterReference) -> ParameterInfo { entries[reference.index] }

  /// The element from which on all decaying tensors belong to a block, by its place among all blocks, or
  /// to what follows it.
  func decayingStart(ofBlock ordinal: Int) -> Int {
    let depth = ParameterRole.Unit.block(stage: 0, index: 0, ordinal: ordinal).depth
    let before = entries.filter {
      $0.storage == .weights && $0.decays && $0.role.unit.depth < depth
    }
    return before.map { roundUp($0.offset + $0.count, to: 16) }.max() ?? 0
  }

  fileprivate init(_ declarations: [ParameterDeclaration]) {
    var cursor: [ParameterInfo.Storage: Int] = [:]
    var offsets = [Int](repeating: 0, count: declarations.count)
    func place(_ storage: ParameterInfo.Storage, where belongs: (ParameterDeclaration) -> Bool) {
      for (index, declaration) in declarations.enumerated() where belongs(declaration) {
        let next = cursor[storage, default: 0]
        offsets[index] = next
        let count = declaration.shape.reduce(1, *)
        cursor[storage] = storage == .counters ? next + count : roundUp(next + count, to: 16)
      }
    }
    place(.weights) { $0.storage == .weights && $0.decays }
    let decaying = cursor[.weights, default: 0]
    place(.weights) { $0.storage == .weights && !$0.decays }
    place(.buffers) { $0.storage == .buffers }
    place(.counters) { $0.storage == .counters }

    entries = zip(declarations, offsets).map { declaration, offset in
      ParameterInfo(
        path: declaration.path, role: declaration.role, shape: declaration.shape,
        timmShape: declaration.layout.timmShape(of: declaration.shape), layout: declaration.layout,
        initializer: declaration.initializer, decays: declaration.decays,
        storage: declaration.storage, offset: offset, count: declaration.shape.reduce(1, *))
    }
    decayingRange = 0..<decaying
    plainRange = decaying..<cursor[.weights, default: 0]
    bufferExtent = cursor[.buffers, default: 0]
    counterCount = cursor[.counters, default: 0]
    indices = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.path, $0) })
  }
}

/// A layer's claim to one entry of the table.
public struct ParameterReference: Sendable, Hashable {
  let index: Int
}

/// The references of one batch norm.
public struct NormReferences: Sendable, Hashable {
  let scale: ParameterReference
  let shift: ParameterReference
  let mean: ParameterReference
  let variance: ParameterReference
  let batchCount: ParameterReference
}

/// The references of one layer norm.
public struct LayerNormReferences: Sendable, Hashable {
  let scale: ParameterReference
  let shift: ParameterReference
}

private struct ParameterDeclaration {
  let path: String
  let role: ParameterRole
  let shape: [Int]
  let layout: ParameterLayout
  let initializer: Initializer
  let decays: Bool
  let storage: ParameterInfo.Storage
}

/// Collects the tensors while the blueprint is walked; each layer asks for what it needs by name and
/// shape and keeps the references.
struct ParameterDeclarations {
  private var declarations: [ParameterDeclaration] = []

  /// A dense convolution's weight, without bias: normal, by fan out.
  mutating func convolution(
    _ path: String, _ unit: ParameterRole.Unit, _ layer: ParameterRole.Layer,
    kernel: Int, inputs: Int, outputs: Int
  ) -> ParameterReference {
    let deviation = (2 / Double(kernel * kernel * outputs)).squareRoot()
    return add(
      path + ".weight", ParameterRole(unit: unit, layer: layer, part: .weight),
      [kernel, kernel, inputs, outputs], .convolution, .normal(deviation: deviation), decays: true)
  }

  /// A depthwise convolution's weight: normal, by fan out, which is one channel's.
  mutating func depthwise(
    _ path: String, _ unit: ParameterRole.Unit, _ layer: ParameterRole.Layer,
    kernel: Int, channels: Int
  ) -> ParameterReference {
    let deviation = (2 / Double(kernel * kernel)).squareRoot()
    return add(
      path + ".weight", ParameterRole(unit: unit, layer: layer, part: .weight),
      [kernel, kernel, channels], .depthwise, .normal(deviation: deviation), decays: true)
  }

  /// A fully connected layer's weight: by default uniform, by the number of outputs.
  mutating func dense(
    _ path: String, _ unit: ParameterRole.Unit, _ layer: ParameterRole.Layer,
    inputs: Int, outputs: Int, _ initializer: Initializer? = nil
  ) -> ParameterReference {
    add(
      path + ".weight", ParameterRole(unit: unit, layer: layer, part: .weight),
      [inputs, outputs], .dense,
      initializer ?? .uniform(bound: 1 / Double(outputs).squareRoot()), decays: true)
  }

  /// A bias, by default of zeros.
  mutating func bias(
    _ path: String, _ unit: ParameterRole.Unit, _ layer: ParameterRole.Layer, count: Int,
    _ initializer: Initializer = .constant(0)
  ) -> ParameterReference {
    add(
      path + ".bias", ParameterRole(unit: unit, layer: layer, part: .bias),
      [count], .vector, initializer, decays: false)
  }

  /// The weight of a transformer's patches: uniform by fan in, as PyTorch starts a convolution.
  mutating func patches(
    _ path: String, kernel: Int, inputs: Int, outputs: Int, _ initializer: Initializer
  ) -> ParameterReference {
    add(
      path + ".weight", ParameterRole(unit: .stem, layer: .patches, part: .weight),
      [kernel, kernel, inputs, outputs], .convolution, initializer, decays: true)
  }

  /// A learned vector of every token, without weight decay as in timm.
  mutating func tokens(
    _ path: String, _ layer: ParameterRole.Layer, count: Int, channels: Int, deviation: Double
  ) -> ParameterReference {
    add(
      path, ParameterRole(unit: .stem, layer: layer, part: .weight), [1, count, channels], .vector,
      .normal(deviation: deviation), decays: false)
  }

  /// The scale and shift of a layer norm.
  mutating func layerNorm(
    _ path: String, _ unit: ParameterRole.Unit, _ layer: ParameterRole.Layer, channels: Int
  ) -> LayerNormReferences {
    func vector(_ name: String, _ part: ParameterRole.Part, _ value: Float) -> ParameterReference {
      add(
        path + name, ParameterRole(unit: unit, layer: layer, part: part), [channels], .vector,
        .constant(value), decays: false)
    }
    return LayerNormReferences(
      scale: vector(".weight", .normScale, 1), shift: vector(".bias", .normShift, 0))
  }

  /// The scale, shift and running statistics of a batch norm.
  mutating func norm(
    _ path: String, _ unit: ParameterRole.Unit, _ layer: ParameterRole.Layer, channels: Int
  ) -> NormReferences {
    func role(_ part: ParameterRole.Part) -> ParameterRole {
      ParameterRole(unit: unit, layer: layer, part: part)
    }
    return NormReferences(
      scale: add(
        path + ".weight", role(.normScale), [channels], .vector, .constant(1), decays: false),
      shift: add(
        path + ".bias", role(.normShift), [channels], .vector, .constant(0), decays: false),
      mean: add(
        path + ".running_mean", role(.runningMean), [channels], .vector, .constant(0),
        decays: false, storage: .buffers),
      variance: add(
        path + ".running_var", role(.runningVariance), [channels], .vector, .constant(1),
        decays: false, storage: .buffers),
      batchCount: add(
        path + ".num_batches_tracked", role(.batchCount), [], .scalar, .constant(0),
        decays: false, storage: .counters))
  }

  /// The finished table.
  func table() -> ParameterTable { ParameterTable(declarations) }

  private mutating func add(
    _ path: String, _ role: ParameterRole, _ shape: [Int], _ layout: ParameterLayout,
    _ initializer: Initializer, decays: Bool, storage: ParameterInfo.Storage = .weights
  ) -> ParameterReference {
    declarations.append(
      ParameterDeclaration(
        path: path, role: role, shape: shape, layout: layout, initializer: initializer,
        decays: decays, storage: storage))
    return ParameterReference(index: declarations.count - 1)
  }
}

/// The least multiple of `step` that is not below `value`.
func roundUp(_ value: Int, to step: Int) -> Int { (value + step - 1) / step * step }
