internal import Kernels

/// Walks the table's stages once and declares each layer's tensors in timm's order and names.
struct ConvolutionalBuilder {
  var declarations = ParameterDeclarations()

  /// Everything but the classifier.
  mutating func body(_ shape: NetworkShape, inputChannels: Int) -> ConvolutionalBody {
    let stem = convolution(
      "conv_stem", norm: "bn1", .stem, .convolution, kernel: 3, stride: 2,
      inputs: inputChannels, outputs: shape.stemChannels, .silu)
    var channels = shape.stemChannels
    var blocks: [BlockUnit] = []
    for (stage, spec) in shape.stages.enumerated() {
      for index in 0..<spec.repeats {
        let block = block(
          spec, stage: stage, index: index, ordinal: blocks.count, inputs: channels)
        channels = block.outputChannels
        blocks.append(block)
      }
    }
    let head = convolution(
      "conv_head", norm: "bn2", .head, .convolution, kernel: 1, stride: 1,
      inputs: channels, outputs: shape.headChannels, .silu)
    return ConvolutionalBody(stem: stem, blocks: blocks, head: head)
  }

  private mutating func convolution(
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

  private mutating func depthwise(
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

  /// What stands before a block's projection; nil for nothing.
  private mutating func gate(
    _ spec: StageSpec, _ path: String, _ unit: ParameterRole.Unit, middle channels: Int
  ) -> GateUnit? {
    let path = path + ".se"
    guard let hidden = spec.gate.hiddenChannels(middle: channels, expansion: spec.expansion) else {
      return nil
    }
    func layer(
      _ name: String, _ layer: ParameterRole.Layer, inputs: Int, outputs: Int
    ) -> DenseUnit {
      let path = path + name
      return DenseUnit(
        path: path, inputs: inputs, outputs: outputs,
        weight: declarations.convolution(
          path, unit, layer, kernel: 1, inputs: inputs, outputs: outputs),
        bias: declarations.bias(path, unit, layer, count: outputs))
    }
    if case .globalContext = spec.gate {
      let attention = layer(".conv_attn", .contextAttention, inputs: channels, outputs: 1)
      let squeeze = layer(".mlp_scale.fc1", .squeeze, inputs: channels, outputs: hidden)
      let norm = declarations.layerNorm(
        path + ".mlp_scale.norm", unit, .contextNorm, channels: hidden)
      let excite = layer(".mlp_scale.fc2", .excite, inputs: hidden, outputs: channels)
      return GateUnit(
        path: path, squeeze: squeeze, excite: excite,
        context: ContextReferences(
          attentionWeight: attention.weight, attentionBias: attention.bias, norm: norm))
    }
    let squeeze = layer(".conv_reduce", .squeeze, inputs: channels, outputs: hidden)
    let excite = layer(".conv_expand", .excite, inputs: hidden, outputs: channels)
    return GateUnit(path: path, squeeze: squeeze, excite: excite, context: nil)
  }

  private mutating func block(
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
    case .separable:
      body = .separable(
        depthwise: depthwise(
          path + ".conv_dw", norm: path + ".bn1", unit, kernel: spec.kernel, stride: stride,
          channels: inputs),
        gate: gate(spec, path, unit, middle: inputs),
        project: convolution(
          path + ".conv_pw", norm: path + ".bn2", unit, .project, kernel: 1, stride: 1,
          inputs: inputs, outputs: spec.channels, .identity))
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
    let gate = gate(spec, path, unit, middle: middle)
    let project = convolution(
      path + ".conv_pwl", norm: path + ".bn3", unit, .project, kernel: 1, stride: 1,
      inputs: middle, outputs: spec.channels, .identity)
    return .inverted(expand: expand, depthwise: depthwise, gate: gate, project: project)
  }
}
