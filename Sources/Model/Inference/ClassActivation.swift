import Kernels

/// Where in a picture the network finds a class: Selvaraju et al., "Grad-CAM: Visual Explanations from
/// Deep Networks via Gradient-based Localization", ICCV 2017, at the last feature map.
///
/// Behind that map stand a pooling and one linear layer only, so the mean gradient of a class's logit
/// by a channel is known without a backward pass: the classifier's weight divided by the number of
/// cells. That holds for means and for largest values alike.
public struct ClassActivation: Sendable, Equatable {
  /// The class.
  public let label: Int
  /// The softmax of its logit, in 0...1.
  public let probability: Double
  /// The evidence for the class in each cell, 0 where there is none or it speaks against; rows from
  /// top to bottom.
  public let rows: [[Float]]
  /// The picture as the network saw it: resized and cropped.
  public let picture: ImageRGB
}

extension Predictor {
  /// The evidence for a class in a picture.
  ///
  /// - Parameter label: the class, below the number of the classifier's outputs; nil for the most
  ///   probable.
  /// - Returns: nil for a vision transformer, whose logits come from a token and no map.
  public func classActivation(of image: ImageRGB, label wanted: Int?) -> ClassActivation? {
    guard case .convolutional = network.blueprint.body else { return nil }
    let picture = transform(image)
    let ranked = best(apply(picture), top: classes)
    guard let found = wanted == nil ? ranked.first : ranked.first(where: { $0.index == wanted })
    else { return nil }
    let blueprint = network.blueprint
    let weight =
      network.parameters.weights + blueprint.parameters[blueprint.classifier.weight].offset
    let (size, channels) = (folded.featureSize, mapChannels)
    let cells = Float(size * size)
    // Where means and largest values stand side by side, both lead to the same map.
    let copies = blueprint.featureCount / channels
    let importance = (0..<channels).map { channel in
      (0..<copies).reduce(Float(0)) { sum, copy in
        sum + weight[(copy * channels + channel) * classes + found.index]
      } / cells
    }
    let rows = (0..<size).map { row in
      (0..<size).map { column -> Float in
        let cell = folded.features + (row * size + column) * channels
        return max(0, importance.indices.reduce(Float(0)) { $0 + importance[$1] * cell[$1] })
      }
    }
    return ClassActivation(
      label: found.index, probability: found.probability, rows: rows, picture: picture)
  }
}
