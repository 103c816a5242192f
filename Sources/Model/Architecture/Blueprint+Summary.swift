internal import Kernels

/// One row of a network's description.
public struct LayerSummary: Sendable, Equatable {
  /// timm's path, such as `blocks.3.0`.
  public let path: String
  /// What it is, such as `inverted 3x3 s2 e4 se`.
  public let kind: String
  /// The channels that come in.
  public let inputChannels: Int
  /// The channels that come out.
  public let outputChannels: Int
  /// The edge of the square output map, a transformer's class token left aside; 1 behind the
  /// pooling.
  public let outputSize: Int
  /// Its trained parameters.
  public let parameterCount: Int
  /// Multiply-adds for one image, as `Blueprint.multiplyAdds` counts them.
  public let multiplyAdds: Int
}

extension Blueprint {
  /// The multiply-adds of one image in inference.
  ///
  /// Counted as timm's benchmark tables do: every product of the convolutions, of the fully
  /// connected layers and of the attention, two for each element that batch norm normalises, and five
  /// for each that layer norm does.
  public func multiplyAdds(inputSize: Int) -> Int {
    layers(inputSize: inputSize).reduce(0) { $0 + $1.multiplyAdds }
  }

  /// The network's layers, block by block, for a square input.
  public func layers(inputSize: Int) -> [LayerSummary] {
    let rows =
      switch body {
      case .convolutional(let body): layers(body, inputSize: inputSize)
      case .transformer(let body): layers(body, inputSize: inputSize)
      }
    let last = LayerSummary(
      path: classifier.path, kind: "linear", inputChannels: classifier.inputs,
      outputChannels: classifier.outputs, outputSize: 1,
      parameterCount: count([classifier.weight, classifier.bias]),
      multiplyAdds: classifier.inputs * classifier.outputs)
    return rows + [last]
  }

  private func layers(_ body: ConvolutionalBody, inputSize: Int) -> [LayerSummary] {
    var size = inputSize
    func row(
      _ path: String, _ kind: String, _ units: [ConvolutionUnit], gate: GateUnit? = nil
    ) -> LayerSummary {
      var work = gate.map { 2 * $0.channels * $0.hiddenChannels } ?? 0
      for unit in units {
        size = variant.padding.resolve(input: size, kernel: unit.kernel, stride: unit.stride).output
        work += size * size * (unit.multiplyAddsPerPixel + 2 * unit.outputChannels)
      }
      // The attention of a global context, and the mean that it weights.
      if let gate, gate.context != nil { work += 2 * size * size * gate.channels }
      return LayerSummary(
        path: path, kind: kind, inputChannels: units[0].inputChannels,
        outputChannels: units[units.count - 1].outputChannels, outputSize: size,
        parameterCount: count(
          units.flatMap { [$0.weight, $0.norm.scale, $0.norm.shift] } + (gate?.references ?? [])),
        multiplyAdds: work)
    }
    return [row("conv_stem", "convolution 3x3 s2", [body.stem])]
      + body.blocks.map { row($0.path, $0.summary, $0.convolutions, gate: $0.gate) }
      + [row("conv_head", "convolution 1x1", [body.head])]
  }

  private static let layerNormCost = 5

  private func layers(_ body: TransformerBody, inputSize: Int) -> [LayerSummary] {
    let (patches, shape) = (body.patches, body.shape)
    let grid = inputSize / shape.patchSize
    let tokens = PatchUnit.tokens(grid: grid)
    func row(
      _ path: String, _ kind: String, inputs: Int, references: [ParameterReference], work: Int
    ) -> LayerSummary {
      LayerSummary(
        path: path, kind: kind, inputChannels: inputs, outputChannels: shape.channels,
        outputSize: grid, parameterCount: count(references), multiplyAdds: work)
    }
    let embedding = row(
      patches.path, "patches \(patches.size)x\(patches.size), positions", inputs: patches.inputs,
      references: [patches.weight, patches.bias, patches.classToken, patches.positions],
      work: grid * grid * patches.patchCount * patches.outputs)
    let blocks = body.blocks.map { block in
      row(
        block.path, "attention \(shape.heads) heads, hidden \(shape.hiddenChannels)",
        inputs: shape.channels,
        references: block.layers.flatMap { [$0.weight, $0.bias] }
          + block.norms.flatMap { [$0.scale, $0.shift] },
        work: tokens * block.layers.reduce(0) { $0 + $1.inputs * $1.outputs }
          + 2 * tokens * tokens * shape.channels
          + block.norms.count * Self.layerNormCost * tokens * shape.channels)
    }
    let norm = row(
      "norm", "layer norm", inputs: shape.channels, references: [body.norm.scale, body.norm.shift],
      work: Self.layerNormCost * tokens * shape.channels)
    return [embedding] + blocks + [norm]
  }

  private func count(_ references: [ParameterReference]) -> Int {
    references.reduce(0) { $0 + parameters[$1].count }
  }
}

extension GateUnit {
  /// Its tensors.
  fileprivate var references: [ParameterReference] {
    let layers = [squeeze.weight, squeeze.bias, excite.weight, excite.bias]
    guard let context else { return layers }
    return layers
      + [context.attentionWeight, context.attentionBias, context.norm.scale, context.norm.shift]
  }
}

extension BlockUnit {
  /// What the block is, in a few words: kind, kernel, stride, expansion, gate, skip.
  var summary: String {
    let spatial = convolutions.max { $0.kernel < $1.kernel }
    var words = [kind.rawValue]
    if let kernel = spatial?.kernel { words.append("\(kernel)x\(kernel)") }
    if stride > 1 { words.append("s\(stride)") }
    if kind == .fused || kind == .inverted {
      words.append("e\(convolutions[0].outputChannels / inputChannels)")
    }
    if let gate { words.append(gate.context == nil ? "se" : "gc") }
    if hasSkip { words.append("skip") }
    return words.joined(separator: " ")
  }
}
