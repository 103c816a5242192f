/// How an image is resampled to another size, with PIL's antialiased filters.
public enum Interpolation: String, Sendable, CaseIterable {
  case bilinear
  case bicubic
}
