// The schemes of PyTorch's libraries. A layer is a convolution and its norm, which have a path each;
// the tensors of both end in `.weight`, `.bias` and so on.

extension NamingScheme {
  /// timm: the names of our own table.
  static let timm = NamingScheme("timm", marks: ["conv_stem.weight"]) { info, _, _ in [info.path] }

  /// The same for transformers.
  static let timmTransformer = NamingScheme(
    "timm", marks: ["patch_embed.proj.weight", "cls_token"]
  ) { info, _, _ in [info.path] }

  /// torchvision's `efficientnet_v2_*` and `efficientnet_b*` (torchvision/models/efficientnet.py).
  static let torchvision = pyTorch(
    "torchvision", marks: ["features.0.0.weight", "features.1.0.block.0.0.weight"],
    conventions: { variant in
      // EfficientNet B0 to B4 have PyTorch's epsilon, the others TensorFlow's.
      let isPlain = variant.stages.first?.kind == .separable && variant.headChannels < 2048
      return Conventions(padding: .symmetric, normEpsilon: isPlain ? 1e-5 : 1e-3)
    }
  ) { role, block, blueprint in
    switch role.unit {
    case .stem: return ("features.0.0", "features.0.1")
    case .block(let stage, let index, _):
      guard let place = block?.place(of: role.layer) else { return nil }
      let path = "features.\(stage + 1).\(index).block.\(place)"
      switch role.layer {
      case .squeeze: return (path + ".fc1", "")
      case .excite: return (path + ".fc2", "")
      default: return (path + ".0", path + ".1")
      }
    case .head:
      let place = (blueprint.blocks.last?.stage ?? 0) + 2
      return ("features.\(place).0", "features.\(place).1")
    case .classifier: return ("classifier.1", "")
    }
  }

  /// hankyul2/EfficientNetV2-pytorch.
  static let hankyul2 = pyTorch(
    "hankyul2", marks: ["stem.0.weight", "head.bottleneck.0.weight"],
    conventions: { _ in Conventions(padding: .symmetric, normEpsilon: 1e-5) }
  ) { role, block, _ in
    func pair(_ path: String) -> (String, String) { (path + ".0", path + ".1") }
    switch role.unit {
    case .stem: return pair("stem")
    case .block(_, _, let ordinal):
      let path = "blocks.\(ordinal).block"
      switch role.layer {
      case .convolution: return pair(path + ".fused")
      case .expand: return pair(path + (block?.kind == .fused ? ".fused" : ".linear_bottleneck"))
      case .depthwise: return pair(path + ".depth_wise")
      case .squeeze: return (path + ".se.fc1", "")
      case .excite: return (path + ".se.fc2", "")
      case .project:
        return pair(path + (block?.kind == .fused ? ".fused_point_wise" : ".point_wise"))
      default: return nil
      }
    case .head: return pair("head.bottleneck")
    case .classifier: return ("head.classifier", "")
    }
  }

  /// jahongir7174/EfficientNetV2: five parts, of which the last two have two stages each.
  static let jahongir7174 = pyTorch(
    "jahongir7174", marks: ["p1.0.conv.weight", "fc2.weight"],
    conventions: { _ in Conventions(padding: .symmetric, normEpsilon: 1e-3) }
  ) { role, block, blueprint in
    func pair(_ path: String) -> (String, String) { (path + ".conv", path + ".norm") }
    switch role.unit {
    case .stem: return pair("p1.0")
    case .block(let stage, let index, _):
      guard let place = block?.place(of: role.layer) else { return nil }
      let (part, first): (Int, Int)
      switch stage {
      case 0: (part, first) = (1, 1)
      case 1, 2: (part, first) = (stage + 1, 0)
      default:
        // Stages 3 and 4 are the fourth part, the rest is the fifth.
        part = stage < 5 ? 4 : 5
        first = blueprint.blocks.count { ((stage < 5 ? 3 : 5)..<stage).contains($0.stage) }
      }
      let path = "p\(part).\(first + index).res.\(place)"
      switch role.layer {
      case .squeeze: return (path + ".se.1", "")
      case .excite: return (path + ".se.3", "")
      default: return pair(path)
      }
    case .head: return pair("fc1.0")
    case .classifier: return ("fc2", "")
    }
  }

  /// d-li14/efficientnetv2.pytorch: activations count among the layers of a block, and the layers of
  /// the gate are fully connected.
  static let dLi14 = pyTorch(
    "d-li14", marks: ["features.0.0.weight", "features.1.conv.0.weight"],
    conventions: { _ in Conventions(padding: .symmetric, normEpsilon: 1e-5) }
  ) { role, block, _ in
    switch role.unit {
    case .stem: return ("features.0.0", "features.0.1")
    case .block(_, _, let ordinal):
      let path = "features.\(ordinal + 1).conv"
      switch role.layer {
      case .expand: return (path + ".0", path + ".1")
      case .depthwise: return (path + ".3", path + ".4")
      case .squeeze: return (path + ".6.fc.0", "")
      case .excite: return (path + ".6.fc.2", "")
      case .project:
        return block?.kind == .fused ? (path + ".3", path + ".4") : (path + ".7", path + ".8")
      default: return nil
      }
    case .head: return ("conv.0", "conv.1")
    case .classifier: return ("classifier", "")
    }
  }

  /// A scheme that gives the paths of a layer's convolution and of its norm.
  private static func pyTorch(
    _ name: String, marks: [String],
    conventions: @escaping @Sendable (Variant) -> Conventions,
    paths:
      @escaping @Sendable (ParameterRole, BlockUnit?, Blueprint) -> (
        convolution: String, norm: String
      )?
  ) -> NamingScheme {
    NamingScheme(name, marks: marks, conventions: conventions) { info, block, blueprint in
      // These libraries have networks of convolutions only.
      guard !blueprint.blocks.isEmpty, let paths = paths(info.role, block, blueprint) else {
        return []
      }
      switch info.role.part {
      case .weight: return [paths.convolution + ".weight"]
      case .bias: return [paths.convolution + ".bias"]
      case .normScale: return [paths.norm + ".weight"]
      case .normShift: return [paths.norm + ".bias"]
      case .runningMean: return [paths.norm + ".running_mean"]
      case .runningVariance: return [paths.norm + ".running_var"]
      case .batchCount: return [paths.norm + ".num_batches_tracked"]
      }
    }
  }
}

extension BlockUnit {
  /// The place of a layer among those of its block, the two of a gate being one.
  fileprivate func place(of layer: ParameterRole.Layer) -> Int? {
    let isGate = layer == .squeeze || layer == .excite
    var layers = convolutions.map(\.role)
    // The gate stands before the projection.
    if gate != nil { layers.insert(.squeeze, at: layers.count - 1) }
    return layers.firstIndex(of: isGate ? .squeeze : layer)
  }
}
