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
  /// The edge of the square output map; 1 behind the pooling.
  public let outputSize: Int
  /// Its trained parameters.
  public let parameterCount: Int
  /// Multiply-adds for one image, as `Blueprint.multiplyAdds` counts them.
  public let multiplyAdds: Int
}

extension Blueprint {
  /// The multiply-adds of one image in inference.
  ///
  /// Counted as timm's benchmark tables do: every product of the convolutions and the classifier,
  /// and two for each normalised element.
  public func multiplyAdds(inputSize: Int) -> Int {
    layers(inputSize: inputSize).reduce(0) { $0 + $1.multiplyAdds }
  }

  /// The network's layers, block by block, for a square input.
  public func layers(inputSize: Int) -> [LayerSummary] {
    var size = inputSize
    var rows: [LayerSummary] = []
    func cost(_ units: [ConvolutionUnit], _ gate: GateUnit?) -> Int {
      var total = 0
      for unit in units {
        size = variant.padding.resolve(input: size, kernel: unit.kernel, stride: unit.stride).output
        total += size * size * (unit.multiplyAddsPerPixel + 2 * unit.outputChannels)
      }
      return total + (gate.map { 2 * $0.channels * $0.hiddenChannels } ?? 0)
    }
    func append(
      _ path: String, _ kind: String, _ units: [ConvolutionUnit], gate: GateUnit? = nil
    ) {
      let work = cost(units, gate)
      rows.append(
        LayerSummary(
          path: path, kind: kind, inputChannels: units[0].inputChannels,
          outputChannels: units[units.count - 1].outputChannels, outputSize: size,
          parameterCount: count(units, gate), multiplyAdds: work))
    }
    append("conv_stem", "convolution 3x3 s2", [stem])
    for block in blocks {
      append(block.path, block.summary, block.convolutions, gate: block.gate)
    }
    append("conv_head", "convolution 1x1", [head])
    rows.append(
      LayerSummary(
        path: classifier.path, kind: "linear", inputChannels: classifier.inputs,
        outputChannels: classifier.outputs, outputSize: 1,
        parameterCount: parameters[classifier.weight].count + parameters[classifier.bias].count,
        multiplyAdds: classifier.inputs * classifier.outputs))
    return rows
  }

  private func count(_ units: [ConvolutionUnit], _ gate: GateUnit?) -> Int {
    var references = units.flatMap { [$0.weight, $0.norm.scale, $0.norm.shift] }
    if let gate {
      references += [gate.squeezeWeight, gate.squeezeBias, gate.exciteWeight, gate.exciteBias]
    }
    return references.reduce(0) { $0 + parameters[$1].count }
  }
}

extension BlockUnit {
  /// What the block is, in a few words: kind, kernel, stride, expansion, gate, skip.
  var summary: String {
    let spatial = convolutions.max { $0.kernel < $1.kernel }
    var words = [kind.rawValue]
    if let kernel = spatial?.kernel { words.append("\(kernel)x\(kernel)") }
    if stride > 1 { words.append("s\(stride)") }
    if convolutions.count > 1 { words.append("e\(convolutions[0].outputChannels / inputChannels)") }
    if gate != nil { words.append("se") }
    if hasSkip { words.append("skip") }
    return words.joined(separator: " ")
  }
}
