internal import Kernels

/// The layers of a folded network, planned for one number of images and one pool.
struct FoldedProgram {
  let batch: Int
  let input: FeatureMap
  let stem: FoldedLayer
  let blocks: [FoldedBlock]
  let head: FoldedLayer
  /// What the pooling leaves.
  let features: FeatureMap
  let classifier: FoldedLayer
  /// The floats of the largest values, where they are joined with the means.
  let maximaCount: Int
  /// Every layer, by its index.
  let layers: [FoldedLayer]

  init(_ source: FoldedSource, batch: Int, inputSize: Int, pool: ThreadPool) {
    self.batch = batch
    input = FeatureMap(batch: batch, size: inputSize, channels: source.body.stem.inputChannels)
    let units = source.units
    let padding = source.padding
    var layers: [FoldedLayer] = []
    func next(_ map: FeatureMap) -> FoldedLayer {
      let layer = FoldedLayer(
        units[layers.count], index: layers.count, input: map, padding: padding, pool: pool)
      layers.append(layer)
      return layer
    }
    func gate(_ unit: GateUnit?, of map: FeatureMap) -> FoldedGate? {
      guard let unit else { return nil }
      let squeeze = next(FeatureMap(batch: batch, size: 1, channels: map.channels))
      return FoldedGate(
        squeeze: squeeze, excite: next(squeeze.output), context: unit.context)
    }
    stem = next(input)
    var map = stem.output
    var blocks: [FoldedBlock] = []
    for unit in source.body.blocks {
      let body: FoldedBlock.Body
      switch unit.body {
      case .convolution:
        body = .convolution(next(map))
      case .fused:
        let expand = next(map)
        body = .fused(FoldedPair(expand, next(expand.output)))
      case .inverted:
        let expand = next(map)
        let depthwise = next(expand.output)
        let folded = gate(unit.gate, of: depthwise.output)
        body = .inverted(
          expand: expand, depthwise: depthwise, gate: folded, project: next(depthwise.output))
      case .separable:
        let depthwise = next(map)
        let folded = gate(unit.gate, of: depthwise.output)
        body = .separable(
          depthwise: depthwise, gate: folded, project: next(depthwise.output))
      }
      let block = FoldedBlock(body: body, hasSkip: unit.hasSkip)
      map = block.output
      blocks.append(block)
    }
    self.blocks = blocks
    head = next(map)
    features = FeatureMap(batch: batch, size: 1, channels: source.classifier.inputs)
    classifier = next(features)
    let isJoined = source.pooling == .averageMaximum || source.pooling == .concatenated
    maximaCount = isJoined ? batch * head.output.channels : 0
    self.layers = layers
  }
}

/// A residual block whose norms are folded.
struct FoldedBlock {
  enum Body {
    case convolution(FoldedLayer)
    case fused(FoldedPair)
    case inverted(
      expand: FoldedLayer, depthwise: FoldedLayer, gate: FoldedGate?, project: FoldedLayer)
    case separable(depthwise: FoldedLayer, gate: FoldedGate?, project: FoldedLayer)
  }

  let body: Body
  let hasSkip: Bool

  var output: FeatureMap {
    switch body {
    case .convolution(let layer): layer.output
    case .fused(let pair): pair.second.output
    case .inverted(_, _, _, let project), .separable(_, _, let project): project.output
    }
  }
}

/// An expansion and its projection, between which no map is stored.
struct FoldedPair {
  let first: FoldedLayer
  let second: FoldedLayer
  private let pair: ConvolutionPair

  init(_ first: FoldedLayer, _ second: FoldedLayer) {
    guard let expand = first.dense, let project = second.dense else {
      preconditionFailure("a fused block has dense convolutions")
    }
    self.first = first
    self.second = second
    pair = ConvolutionPair(expand, project)
  }

  func apply(
    _ weights: FoldedWeights, input: UnsafePointer<Float>, residual: UnsafePointer<Float>?,
    output: UnsafeMutablePointer<Float>
  ) {
    pair.forward(
      input: input, first: weights.packed(first.index), first.epilogue(weights),
      second: weights.packed(second.index), second.epilogue(weights, residual: residual),
      output: output)
  }
}

/// The two layers of a gate.
struct FoldedGate {
  let squeeze: FoldedLayer
  let excite: FoldedLayer
  /// What a global context has besides; its tensors are read where the network has them.
  let context: ContextReferences?
}

/// The network of convolutions that is folded.
struct FoldedSource {
  let body: ConvolutionalBody
  let classifier: DenseUnit
  let pooling: GlobalPooling
  let padding: Padding

  /// Every product of the network with what is folded into it, in the order of computation.
  var units: [FoldedUnit] {
    var units = [FoldedUnit(body.stem)]
    for block in body.blocks {
      switch block.body {
      case .convolution(let convolution): units.append(FoldedUnit(convolution))
      case .fused(let expand, let project): units += [FoldedUnit(expand), FoldedUnit(project)]
      case .inverted(let expand, let depthwise, let gate, let project):
        units += [FoldedUnit(expand), FoldedUnit(depthwise)] + layers(gate) + [FoldedUnit(project)]
      case .separable(let depthwise, let gate, let project):
        units += [FoldedUnit(depthwise)] + layers(gate) + [FoldedUnit(project)]
      }
    }
    units.append(FoldedUnit(body.head))
    units.append(FoldedUnit(classifier, .identity))
    return units
  }

  private func layers(_ gate: GateUnit?) -> [FoldedUnit] {
    guard let gate else { return [] }
    return [
      FoldedUnit(gate.squeeze, gate.context == nil ? .silu : .identity),
      FoldedUnit(gate.excite, .sigmoid),
    ]
  }
}
