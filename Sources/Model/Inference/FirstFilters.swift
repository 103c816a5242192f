import Kernels

extension Network {
  /// The filters of the first layer as small colour pictures, in the order of its channels: the
  /// kernels of a stem, the patches of a transformer.
  ///
  /// Every filter fills the whole range by itself: the middle gray is 0.
  public var firstFilters: [ImageRGB] {
    let reference =
      switch blueprint.body {
      case .convolutional(let body): body.stem.weight
      case .transformer(let body): body.patches.weight
      }
    let info = blueprint.parameters[reference]
    // [kernel, kernel, inputs, outputs]
    let (kernel, inputs, outputs) = (info.shape[0], info.shape[2], info.shape[3])
    let weights = parameters.weights + info.offset
    return (0..<outputs).map { filter in
      func value(_ place: Int, _ channel: Int) -> Float {
        weights[(place * inputs + min(channel, inputs - 1)) * outputs + filter]
      }
      let places = 0..<kernel * kernel
      let largest = places.reduce(Float(1e-12)) { found, place in
        (0..<3).reduce(found) { max($0, abs(value(place, $1))) }
      }
      let pixels = places.flatMap { place in
        (0..<3).map { UInt8((127.5 + 127.5 * value(place, $0) / largest).rounded()) }
      }
      return ImageRGB(width: kernel, height: kernel, pixels: pixels)
    }
  }
}
