public import Kernels

/// A convolution without bias, its batch norm and the activation after it.
public struct ConvolutionUnit: Sendable {
  /// timm's path of the convolution, such as `blocks.3.0.conv_pw`.
  public let path: String
  /// What the convolution does in its unit.
  public let role: ParameterRole.Layer
  /// The edge of its kernel.
  public let kernel: Int
  /// The step between neighbouring outputs.
  public let stride: Int
  /// The channels that come in.
  public let inputChannels: Int
  /// The channels that come out.
  public let outputChannels: Int
  /// Whether every channel is convolved on its own.
  public let isDepthwise: Bool
  /// What follows the norm.
  public let activation: Activation
  /// The convolution's weight in the parameter table.
  public let weight: ParameterReference
  /// The norm's tensors in the parameter table.
  public let norm: NormReferences

  /// The multiplications of the convolution at one output position.
  var multiplyAddsPerPixel: Int {
    kernel * kernel * outputChannels * (isDepthwise ? 1 : inputChannels)
  }
}

/// The two fully connected layers of squeeze-and-excitation: channels → hidden → channels.
public struct GateUnit: Sendable {
  /// timm's path, such as `blocks.3.0.se`.
  public let path: String
  /// The channels that are gated.
  public let channels: Int
  /// The width between the two layers.
  public let hiddenChannels: Int
  let squeezeWeight: ParameterReference
  let squeezeBias: ParameterReference
  let exciteWeight: ParameterReference
  let exciteBias: ParameterReference
}

/// The classifier: features → classes.
public struct DenseUnit: Sendable {
  /// timm's path, `classifier`.
  public let path: String
  /// The features.
  public let inputs: Int
  /// The classes.
  public let outputs: Int
  let weight: ParameterReference
  let bias: ParameterReference
}

/// One residual block, with every channel count resolved.
public struct BlockUnit: Sendable {
  /// The layers of a block, by its kind.
  public enum Body: Sendable {
    case convolution(ConvolutionUnit)
    case fused(expand: ConvolutionUnit, project: ConvolutionUnit)
    case inverted(
      expand: ConvolutionUnit, depthwise: ConvolutionUnit, gate: GateUnit?,
      project: ConvolutionUnit)
  }

  /// timm's path, such as `blocks.3.0`.
  public let path: String
  /// The block's place among all blocks.
  public let ordinal: Int
  /// The stage that the block belongs to.
  public let stage: Int
  /// The block's place in its stage.
  public let index: Int
  /// The stride of its spatial convolution.
  public let stride: Int
  /// The channels that come in.
  public let inputChannels: Int
  /// The channels that come out.
  public let outputChannels: Int
  /// Its layers.
  public let body: Body
  /// Whether the block's input is added to its output.
  public var hasSkip: Bool { stride == 1 && inputChannels == outputChannels }

  /// What the block is made of.
  public var kind: BlockKind {
    switch body {
    case .convolution: .convolution
    case .fused: .fused
    case .inverted: .inverted
    }
  }

  /// The convolutions, in order.
  public var convolutions: [ConvolutionUnit] {
    switch body {
    case .convolution(let unit): [unit]
    case .fused(let expand, let project): [expand, project]
    case .inverted(let expand, let depthwise, _, let project): [expand, depthwise, project]
    }
  }

  /// The gate, where there is one.
  public var gate: GateUnit? {
    if case .inverted(_, _, let gate, _) = body { gate } else { nil }
  }
}

/// A variant with everything resolved for a number of classes: each layer's channels, and the
/// table of all tensors.
public struct Blueprint: Sendable {
  /// The architecture.
  public let variant: Variant
  /// The classes of the classifier.
  public let classCount: Int
  /// The channels of the input image.
  public let inputChannels: Int
  /// The first convolution, 3×3 with stride 2.
  public let stem: ConvolutionUnit
  /// All blocks, in order.
  public let blocks: [BlockUnit]
  /// The 1×1 convolution before the pooling.
  public let head: ConvolutionUnit
  /// The last layer.
  public let classifier: DenseUnit
  /// Every tensor of the network.
  public let parameters: ParameterTable

  /// Resolves a variant.
  ///
  /// - Throws: `ArchitectureError.classCount` unless there is at least one class.
  public init(_ variant: Variant, classCount: Int, inputChannels: Int = 3) throws {
    guard (1...1_000_000).contains(classCount) else {
      throw ArchitectureError.classCount(classCount)
    }
    precondition(inputChannels > 0, "an image needs a channel")
    var builder = BlueprintBuilder()
    self.variant = variant
    self.classCount = classCount
    self.inputChannels = inputChannels
    stem = builder.convolution(
      "conv_stem", norm: "bn1", .stem, .convolution, kernel: 3, stride: 2,
      inputs: inputChannels, outputs: variant.stemChannels, .silu)
    var channels = variant.stemChannels
    var blocks: [BlockUnit] = []
    for (stage, spec) in variant.stages.enumerated() {
      for index in 0..<spec.repeats {
        let block = builder.block(
          spec, stage: stage, index: index, ordinal: blocks.count, inputs: channels)
        channels = block.outputChannels
        blocks.append(block)
      }
    }
    self.blocks = blocks
    head = builder.convolution(
      "conv_head", norm: "bn2", .head, .convolution, kernel: 1, stride: 1,
      inputs: channels, outputs: variant.headChannels, .silu)
    classifier = builder.classifier(inputs: variant.headChannels, outputs: classCount)
    parameters = builder.declarations.table()
  }

  /// The trained parameters, as every other library counts them.
  public var parameterCount: Int { parameters.parameterCount }
  /// The running means and variances.
  public var bufferCount: Int { parameters.bufferCount }
  /// The features that the classifier sees.
  public var featureCount: Int { classifier.inputs }
}

/// Walks the table's stages once and declares each layer's tensors in timm's order and names.
private struct BlueprintBuilder {
  var declarations = ParameterDeclarations()

  mutating func convolution(
    _ path: String, norm: String, _ unit: ParameterRole.Unit, _ layer: ParameterRole.Layer,
    kernel: Int, stride: Int, inputs: Int, outputs: Int, _ activation: Activation
  ) -> ConvolutionUnit {
    let weight = declarations.convolution(
      path, unit, layer, kernel: kernel, inputs: inputs, outputs: outputs)
    return ConvolutionUnit(
      path: path, role: layer, kernel: kernel, stride: stride, inputChannels: inputs,
      outputChannels: outputs, isDepthwise: false, activation: activation, weight: weight,
      norm: declarations.norm(norm, unit, layer, channels: outputs))
  }

  mutating func depthwise(
    _ path: String, norm: String, _ unit: ParameterRole.Unit, kernel: Int, stride: Int,
    channels: Int
  ) -> ConvolutionUnit {
    let weight = declarations.depthwise(
      path, unit, .depthwise, kernel: kernel, channels: channels)
    return ConvolutionUnit(
      path: path, role: .depthwise, kernel: kernel, stride: stride, inputChannels: channels,
      outputChannels: channels, isDepthwise: true, activation: .silu, weight: weight,
      norm: declarations.norm(norm, unit, .depthwise, channels: channels))
  }

  mutating func gate(
    _ path: String, _ unit: ParameterRole.Unit, channels: Int, hidden: Int
  ) -> GateUnit {
    let squeeze = path + ".conv_reduce"
    let excite = path + ".conv_expand"
    return GateUnit(
      path: path, channels: channels, hiddenChannels: hidden,
      squeezeWeight: declarations.convolution(
        squeeze, unit, .squeeze, kernel: 1, inputs: channels, outputs: hidden),
      squeezeBias: declarations.bias(squeeze, unit, .squeeze, count: hidden),
      exciteWeight: declarations.convolution(
        excite, unit, .excite, kernel: 1, inputs: hidden, outputs: channels),
      exciteBias: declarations.bias(excite, unit, .excite, count: channels))
  }

  mutating func classifier(inputs: Int, outputs: Int) -> DenseUnit {
    DenseUnit(
      path: "classifier", inputs: inputs, outputs: outputs,
      weight: declarations.dense(
        "classifier", .classifier, .classifier, inputs: inputs, outputs: outputs),
      bias: declarations.bias("classifier", .classifier, .classifier, count: outputs))
  }

  mutating func block(
    _ spec: StageSpec, stage: Int, index: Int, ordinal: Int, inputs: Int
  ) -> BlockUnit {
    let path = "blocks.\(stage).\(index)"
    let unit = ParameterRole.Unit.block(stage: stage, index: index, ordinal: ordinal)
    let stride = index == 0 ? spec.stride : 1
    let middle = makeDivisible(Double(inputs * spec.expansion))
    let body: BlockUnit.Body
    switch spec.kind {
    case .convolution:
      body = .convolution(
        convolution(
          path + ".conv", norm: path + ".bn1", unit, .convolution, kernel: spec.kernel,
          stride: stride, inputs: inputs, outputs: spec.channels, .silu))
    case .fused:
      body = .fused(
        expand: convolution(
          path + ".conv_exp", norm: path + ".bn1", unit, .expand, kernel: spec.kernel,
          stride: stride, inputs: inputs, outputs: middle, .silu),
        project: convolution(
          path + ".conv_pwl", norm: path + ".bn2", unit, .project, kernel: 1, stride: 1,
          inputs: middle, outputs: spec.channels, .identity))
    case .inverted:
      body = inverted(
        spec, path, unit, stride: stride, inputs: inputs, middle: middle)
    }
    return BlockUnit(
      path: path, ordinal: ordinal, stage: stage, index: index, stride: stride,
      inputChannels: inputs, outputChannels: spec.channels, body: body)
  }

  private mutating func inverted(
    _ spec: StageSpec, _ path: String, _ unit: ParameterRole.Unit, stride: Int, inputs: Int,
    middle: Int
  ) -> BlockUnit.Body {
    let expand = convolution(
      path + ".conv_pw", norm: path + ".bn1", unit, .expand, kernel: 1, stride: 1,
      inputs: inputs, outputs: middle, .silu)
    let depthwise = depthwise(
      path + ".conv_dw", norm: path + ".bn2", unit, kernel: spec.kernel, stride: stride,
      channels: middle)
    let gateUnit: GateUnit?
    switch spec.gate {
    case .none: gateUnit = nil
    case .squeezeExcitation(let ratio):
      // timm divides by the expansion, so that the hidden width follows the block's input; ties
      // go to the even number as in Python.
      let exact = Double(middle) * (ratio / Double(spec.expansion))
      let hidden = Int(exact.rounded(.toNearestOrEven))
      gateUnit = gate(path + ".se", unit, channels: middle, hidden: hidden)
    }
    let project = convolution(
      path + ".conv_pwl", norm: path + ".bn3", unit, .project, kernel: 1, stride: 1,
      inputs: middle, outputs: spec.channels, .identity)
    return .inverted(expand: expand, depthwise: depthwise, gate: gateUnit, project: project)
  }
}
