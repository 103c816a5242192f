import EmbeddedData

/// The 1000 classes of ImageNet (ILSVRC 2012).
public enum ImageNetClasses {
  /// The short English names; the index is the class of a 1000-class head.
  public static let names: [String] = {
    let bytes = UnsafeBufferPointer(
      start: embedded_imagenet_names(), count: embedded_imagenet_names_size())
    let names = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    precondition(names.count == 1000, "the embedded names are whole")
    return names
  }()
}
