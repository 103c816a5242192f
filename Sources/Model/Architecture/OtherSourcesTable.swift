/// EfficientNetV2, and EfficientNet, by other libraries, where their networks compute something else
/// than timm's of the same size. The tensors have timm's names here too.
///
/// hankyul2's are numerically timm's `efficientnetv2_s` to `xl` and so have no rows.
extension Variant {
  static let otherSources: [Variant] = torchvision + torchvisionFirst + jahongir + dLi14

  /// torchvision: PyTorch's padding with TensorFlow's epsilon.
  private static let torchvision = [
    torchvision("s", "S", .small, size: 384, file: "efficientnet_v2_s-dd5fe13b.pth"),
    torchvision("m", "M", .medium, size: 480, file: "efficientnet_v2_m-dc08266a.pth"),
    torchvision(
      "l", "L", .large, size: 480, file: "efficientnet_v2_l-59c71312.pth", isPorted: true),
  ]

  /// - Parameter isPorted: whether the weights are Google's, with Google's images.
  private static func torchvision(
    _ size: String, _ what: String, _ shape: NetworkShape, size edge: Int, file: String,
    isPorted: Bool = false
  ) -> Variant {
    Variant(
      "efficientnet_v2_\(size)", summary: "EfficientNetV2-\(what) of torchvision", shape: shape,
      padding: .symmetric, normEpsilon: 1e-3, isTimms: false,
      tags: [
        PretrainedTag(
          name: "imagenet1k_v1", classCount: 1000,
          preprocessing: isPorted
            ? .google(size: edge, crop: 1)
            : Preprocessing(inputSize: edge, interpolation: .bilinear),
          releaseFile: file, summary: "ImageNet-1k")
      ])
  }

  /// torchvision's EfficientNet B5 to B7, with TensorFlow's epsilon and slow running statistics; its
  /// smaller ones are timm's `efficientnet_b0` to `b4`.
  private static let torchvisionFirst = [
    ("b5", 1.6, 2.2, 456, "efficientnet_b5_lukemelas-1a07897c.pth"),
    ("b6", 1.8, 2.6, 528, "efficientnet_b6_lukemelas-24a108a5.pth"),
    ("b7", 2.0, 3.1, 600, "efficientnet_b7_lukemelas-c5b4e57e.pth"),
  ].map { size, width, depth, edge, file in
    Variant(
      "torchvision_efficientnet_\(size)",
      summary: "EfficientNet-\(size.uppercased()) of torchvision",
      shape: .efficientNet.scaled(width: width, depth: depth), padding: .symmetric,
      normEpsilon: 1e-3, normMomentum: 0.01, isTimms: false,
      tags: [
        PretrainedTag(
          name: "imagenet1k_v1", classCount: 1000, preprocessing: Preprocessing(inputSize: edge),
          releaseFile: file, summary: "ImageNet-1k, Google's weights")
      ])
  }

  /// jahongir7174: torchvision's conventions, but running statistics that move ten times slower,
  /// and a seventh stage that halves the map once more.
  private static let jahongir = [
    ("s", "S", NetworkShape.small, 300, 384), ("m", "M", strided(.medium), 384, 480),
    ("l", "L", strided(.large), 384, 480),
  ].map { size, what, shape, edge, test in
    Variant(
      "jahongir_efficientnetv2_\(size)", summary: "EfficientNetV2-\(what) of jahongir7174",
      shape: shape, padding: .symmetric, normEpsilon: 1e-3, normMomentum: 0.01, isTimms: false,
      tags: [],
      untrained: Preprocessing(inputSize: edge, testInputSize: test, interpolation: .bilinear))
  }

  private static func strided(_ shape: NetworkShape) -> NetworkShape {
    var result = shape
    result.stages[6].stride = 2
    return result
  }

  /// d-li14: the first stage is fused, gates have multiples of 8 hidden channels, the stem always
  /// has 24 channels, and the head 1792.
  private static let dLi14 = [
    ("s", "S", NetworkShape.small, 384), ("m", "M", .medium, 480), ("l", "L", .large, 480),
    ("xl", "XL", .extraLarge, 512),
  ].map { size, what, shape, edge in
    var shape = shape.replacingGates(.squeezeExcitation(ratio: 0.25, divisor: 8))
    shape.stages[0].kind = .fused
    shape.stemChannels = 24
    shape.headChannels = 1792
    return Variant(
      "dli14_efficientnetv2_\(size)", summary: "EfficientNetV2-\(what) of d-li14", shape: shape,
      padding: .symmetric, normEpsilon: 1e-5, isTimms: false, tags: [],
      untrained: Preprocessing(inputSize: edge))
  }
}
