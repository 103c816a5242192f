/// One set of released weights of a variant.
public struct PretrainedTag: Sendable, Equatable {
  /// timm's name of it after the dot, such as `in21k_ft_in1k`.
  public let name: String
  /// The classes that its classifier tells apart.
  public let classCount: Int
  /// What images it was trained on, and how they were prepared.
  public let preprocessing: Preprocessing
  /// The file's name in timm's GitHub releases and so in PyTorch's hub cache; nil where the weights
  /// are only on the Hugging Face hub.
  public let releaseFile: String?
  /// What the name means, in a few words.
  public let summary: String
}
