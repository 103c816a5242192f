// Networks for images of other than three channels.

extension Variant {
  /// The same variant for images of so many channels.
  ///
  /// - Throws: `ArchitectureError.inputChannels` for none, or absurdly many.
  public func taking(channels: Int) throws -> Variant {
    guard (1...4096).contains(channels) else { throw ArchitectureError.inputChannels(channels) }
    var variant = self
    variant.inputChannels = channels
    return variant
  }

  /// What `load` makes the network of: the name, with the pooling where it is not the mean and the
  /// channels where they are not three.
  public var loadText: String { Self.loadText(name, pooling, inputChannels) }

  /// The same with the tag of the weights.
  public var qualifiedLoadText: String { Self.loadText(qualifiedName, pooling, inputChannels) }

  static func loadText(_ name: String, _ pooling: GlobalPooling, _ channels: Int) -> String {
    var text = name
    if pooling != .average { text += " global-pool=\(pooling.rawValue)" }
    if channels != 3 { text += " in-chans=\(channels)" }
    return text
  }
}

extension Preprocessing {
  /// The same for images of so many channels: those that are not red, green and blue share one number,
  /// the mean of the three.
  func adapted(toChannels count: Int) -> Preprocessing {
    var adapted = self
    adapted.mean = Self.fit(mean, channels: count)
    adapted.deviation = Self.fit(deviation, channels: count)
    return adapted
  }

  /// Numbers for so many channels, made from one for all or one for each of three.
  static func fit(_ values: [Double], channels: Int) -> [Double] {
    let wanted = channels == 3 ? 3 : 1
    guard values.count != wanted else { return values }
    let mean = values.reduce(0, +) / Double(values.count)
    return Array(repeating: mean, count: wanted)
  }
}

extension Blueprint {
  /// Refuses channels that no picture has: pictures are red, green and blue, or brightness.
  /// - Throws: `ArchitectureError.noPictures`.
  func checkImages() throws {
    guard [1, 3].contains(inputChannels) else { throw ArchitectureError.noPictures(inputChannels) }
  }

  /// The filters that see the image.
  var firstFilters: ParameterInfo {
    switch body {
    case .convolutional(let body): parameters[body.stem.weight]
    case .transformer: parameters["patch_embed.proj.weight"] ?? parameters.entries[0]
    }
  }
}

extension Network {
  /// The same network for images of other channels, as timm's `adapt_input_conv` changes pretrained
  /// weights: for one channel the filters of all are summed, which is what they make of a gray image;
  /// for others they are repeated in turn and scaled by 3 / channels.
  ///
  /// - Throws: `ArchitectureError.inputChannels`.
  public func taking(channels: Int) throws -> Network {
    let adapted = Network(
      uninitialized: try Blueprint(
        blueprint.variant.taking(channels: channels), classCount: blueprint.classCount))
    adapted.parameters.copyMatching(from: parameters)
    let (old, new) = (blueprint.firstFilters, adapted.blueprint.firstFilters)
    let own = blueprint.inputChannels
    guard own != channels else { return adapted }
    var source = [Float](repeating: 0, count: old.count)
    old.layout.toTimm(parameters.weights + old.offset, to: &source, shape: old.shape)
    var target = [Float](repeating: 0, count: new.count)
    let plane = new.timmShape.dropFirst(2).reduce(1, *)
    for filter in 0..<new.timmShape[0] {
      for channel in 0..<channels {
        for pixel in 0..<plane {
          func value(_ channel: Int) -> Float { source[(filter * own + channel) * plane + pixel] }
          target[(filter * channels + channel) * plane + pixel] =
            channels == 1
            ? (0..<own).reduce(0) { $0 + value($1) }
            : value(channel % own) * Float(Double(own) / Double(channels))
        }
      }
    }
    new.layout.fromTimm(target, to: adapted.parameters.weights + new.offset, shape: new.shape)
    return adapted
  }
}
