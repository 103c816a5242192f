/// Vision transformers of patch 16 (Dosovitskiy et al., arXiv:2010.11929; Steiner et al., "How to
/// train your ViT?", arXiv:2106.10270), tiny to large, for 224 and 384 pixels.
extension Variant {
  static let visionTransformers: [Variant] = [224, 384].flatMap { size in
    transformerShapes.map { name, shape in
      Variant(
        "vit_\(name)_patch16_\(size)", summary: "ViT-\(name) of patches of 16 px",
        shape: shape, tags: transformerTags(name, size))
    }
  }

  private static let transformerShapes = [
    ("tiny", TransformerShape(patchSize: 16, channels: 192, depth: 12, heads: 3)),
    ("small", TransformerShape(patchSize: 16, channels: 384, depth: 12, heads: 6)),
    ("base", TransformerShape(patchSize: 16, channels: 768, depth: 12, heads: 12)),
    ("large", TransformerShape(patchSize: 16, channels: 1024, depth: 24, heads: 16)),
  ]

  /// The classifiers among timm's weights, the default one first.
  private static func transformerTags(_ name: String, _ size: Int) -> [PretrainedTag] {
    let images = Preprocessing.google(size: size, crop: size == 224 ? 0.9 : 1)
    func tag(_ tag: String, classes: Int = 1000, file: String? = nil, _ what: String)
      -> PretrainedTag
    {
      PretrainedTag(
        name: tag, classCount: classes, preprocessing: images, releaseFile: file, summary: what)
    }
    let fineTuned = "ImageNet-21k, fine-tuned on ImageNet-1k"
    var tags = [tag("augreg_in21k_ft_in1k", fineTuned)]
    if name == "base" {
      if size == 224 { tags.insert(tag("augreg2_in21k_ft_in1k", fineTuned), at: 0) }
      let file =
        size == 224 ? "jx_vit_base_p16_224-80ecf9dd.pth" : "jx_vit_base_p16_384-83fb41ba.pth"
      tags.append(tag("orig_in21k_ft_in1k", file: file, "the paper's, \(fineTuned)"))
    }
    if name == "small" || name == "base" { tags.append(tag("augreg_in1k", "ImageNet-1k")) }
    if size == 224 { tags.append(tag("augreg_in21k", classes: 21843, "ImageNet-21k")) }
    return tags
  }
}
