// The scheme of Flax's transformers: kernels have their outputs last, and an attention has a tensor for
// each of queries, keys and values, cut into heads.

extension NamingScheme {
  /// Google's vision transformers (google-research/vision_transformer, the `augreg` files), as timm's
  /// `load_pretrained` reads them.
  static let flax = NamingScheme(
    "flax", marks: ["embedding/kernel", "Transformer/encoder_norm/scale"], order: .outputsLast
  ) { info, _, blueprint in
    // Flax's networks of convolutions have other names.
    guard case .transformer = blueprint.body, let path = flaxPath(info.role) else { return [] }
    func parts(_ part: String) -> [String] {
      guard info.role.layer == .attentionInput else { return ["\(path)/\(part)"] }
      return ["query", "key", "value"].map { "\(path)/\($0)/\(part)" }
    }
    return switch (info.role.layer, info.role.part) {
    case (.classToken, _), (.positions, _): [path]
    case (_, .weight): parts("kernel")
    case (_, .bias), (_, .normShift): parts("bias")
    case (_, .normScale): parts("scale")
    default: []
    }
  }

  /// Where the tensors of a layer are; the classes of a block's layers are counted together.
  private static func flaxPath(_ role: ParameterRole) -> String? {
    var block = ""
    if case .block(_, _, let ordinal) = role.unit {
      block = "Transformer/encoderblock_\(ordinal)/"
    }
    return switch role.layer {
    case .patches: "embedding"
    case .classToken: "cls"
    case .positions: "Transformer/posembed_input/pos_embedding"
    case .attentionNorm: block + "LayerNorm_0"
    case .attentionInput: block + "MultiHeadDotProductAttention_1"
    case .attentionOutput: block + "MultiHeadDotProductAttention_1/out"
    case .hiddenNorm: block + "LayerNorm_2"
    case .hiddenInput: block + "MlpBlock_3/Dense_0"
    case .hiddenOutput: block + "MlpBlock_3/Dense_1"
    case .finalNorm: "Transformer/encoder_norm"
    case .classifier: "head"
    default: nil
    }
  }
}

extension TransformerShape {
  /// The dimensions of a part of an attention's tensor that is cut into heads; nil for every other
  /// tensor.
  func shapeByHead(of info: ParameterInfo) -> [Int]? {
    let head = [heads, channels / heads]
    return switch (info.role.layer, info.role.part) {
    case (.attentionInput, .weight): [channels] + head
    case (.attentionInput, .bias): head
    case (.attentionOutput, .weight): head + [channels]
    default: nil
    }
  }
}
