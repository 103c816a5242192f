// The schemes of TensorFlow's libraries: kernels have their outputs last, norms have gamma, beta and
// moving statistics, and nothing counts batches.

extension NamingScheme {
  /// google/automl's EfficientNetV2 (and EfficientNet on TPUs) as its checkpoints name variables, and
  /// hankyul2's copies of them in NumPy files. Layers of a block are numbered by their class.
  static let google = tensorFlow(
    "google", marks: ["stem/conv2d/kernel"], averageSuffix: "/ExponentialMovingAverage",
    isBeside: { name in
      let last = name.split(separator: "/").last.map(String.init) ?? name
      return ["global_step", "save_counter"].contains(last) || name.hasPrefix("optimizer")
        || ["RMSProp", "RMSProp_1", "Momentum", "Adam", "Adam_1"].contains(last)
        || name.contains("/.OPTIMIZER_SLOT/")
    }
  ) { role, block, _ in
    let norm = "tpu_batch_normalization"
    switch role.unit {
    case .stem: return ("stem/conv2d", "stem/" + norm)
    case .block(_, _, let ordinal):
      let path = "blocks_\(ordinal)/"
      let convolutions = block?.convolutions ?? []
      switch role.layer {
      case .squeeze: return (path + "se/conv2d", "")
      case .excite: return (path + "se/conv2d_1", "")
      default:
        // Every layer has a norm; only those that are not depthwise have a `conv2d`.
        guard let place = convolutions.firstIndex(where: { $0.role == role.layer }) else {
          return nil
        }
        let before = convolutions[..<place].count { !$0.isDepthwise }
        let layer =
          convolutions[place].isDepthwise ? "depthwise_conv2d" : numbered("conv2d", before)
        return (path + layer, path + numbered(norm, place))
      }
    case .head: return ("head/conv2d", "head/" + norm)
    case .classifier: return ("head/dense", "")
    }
  }

  /// `keras.applications.EfficientNet*`, both generations: a letter for a block's place in its stage.
  static let keras = tensorFlow(
    "keras", marks: ["stem_conv/kernel"],
    newerName: { name in
      // Keras 3 makes no difference between kernels.
      name.hasSuffix("/depthwise_kernel")
        ? name.dropLast("depthwise_kernel".count) + "kernel" : nil
    },
    isBeside: { name in
      // The preprocessing that the model does itself, and the state of a training.
      name.hasPrefix("normalization") || name.contains("/normalization/")
        || name.contains("optimizer") || name.hasPrefix("save_counter")
    }
  ) { role, _, blueprint in
    switch role.unit {
    case .stem: return ("stem_conv", "stem_bn")
    case .block(let stage, let index, _):
      let letter = Character(UnicodeScalar(UInt8(truncatingIfNeeded: 97 + index)))
      let path = "block\(stage + 1)\(letter)_"
      switch role.layer {
      case .expand: return (path + "expand_conv", path + "expand_bn")
      case .depthwise:
        // Only the first generation begins with a depthwise convolution.
        let isFirst = blueprint.blocks.first?.kind == .separable
        return (path + (isFirst ? "dwconv" : "dwconv2"), path + "bn")
      case .squeeze: return (path + "se_reduce", "")
      case .excite: return (path + "se_expand", "")
      case .project, .convolution: return (path + "project_conv", path + "project_bn")
      default: return nil
      }
    case .head: return ("top_conv", "top_bn")
    case .classifier: return ("predictions", "")
    }
  }

  private static func numbered(_ name: String, _ number: Int) -> String {
    number == 0 ? name : "\(name)_\(number)"
  }

  private static func tensorFlow(
    _ name: String, marks: [String], averageSuffix: String? = nil,
    newerName: @escaping @Sendable (String) -> String? = { _ in nil },
    isBeside: @escaping @Sendable (String) -> Bool,
    paths:
      @escaping @Sendable (ParameterRole, BlockUnit?, Blueprint) -> (layer: String, norm: String)?
  ) -> NamingScheme {
    NamingScheme(
      name, marks: marks, order: .outputsLast,
      conventions: { _ in Conventions(padding: .same, normEpsilon: 1e-3) },
      averageSuffix: averageSuffix, newerName: newerName, isBeside: isBeside
    ) { info, block, blueprint in
      // These libraries have networks of convolutions only.
      guard !blueprint.blocks.isEmpty, let paths = paths(info.role, block, blueprint) else {
        return []
      }
      switch info.role.part {
      case .weight:
        return [paths.layer + (info.role.layer == .depthwise ? "/depthwise_kernel" : "/kernel")]
      case .bias: return [paths.layer + "/bias"]
      case .normScale: return [paths.norm + "/gamma"]
      case .normShift: return [paths.norm + "/beta"]
      case .runningMean: return [paths.norm + "/moving_mean"]
      case .runningVariance: return [paths.norm + "/moving_variance"]
      case .batchCount: return []
      }
    }
  }
}
