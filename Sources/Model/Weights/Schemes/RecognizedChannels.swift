extension RecognizedScheme {
  /// The channels of the images that a variant with a file's weights takes, by the shape of the first
  /// filters; nil where the file does not have them, or they are of another network.
  func inputChannels(of file: WeightFile, _ variant: Variant) -> Int? {
    guard let three = try? Blueprint(variant.taking(channels: 3), classCount: 1),
      let tensor = tensors(for: three.firstFilters, in: three, file).first ?? nil
    else { return nil }
    let (channels, rest) = (3 * tensor.count).quotientAndRemainder(
      dividingBy: three.firstFilters.count)
    guard rest == 0, let own = try? Blueprint(variant.taking(channels: channels), classCount: 1),
      scheme.shapes(of: own.firstFilters, in: own).contains(tensor.shape)
    else { return nil }
    return channels
  }
}
