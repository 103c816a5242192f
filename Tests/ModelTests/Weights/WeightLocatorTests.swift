import Foundation
import Testing

@testable import Model

struct WeightLocatorTests {
  private let home: TemporaryFolder
  private let variant: Variant

  init() throws {
    home = try TemporaryFolder()
    variant = try Variant.named("tf_efficientnetv2_s")
  }

  private func find(_ variant: Variant, _ environment: [String: String] = [:]) throws -> String {
    var environment = environment
    environment["HOME"] = home.url.path
    let found = try WeightLocator.find(variant, in: WeightPlaces(environment: environment)).path
    #expect(found.hasPrefix(home.url.path + "/"))
    return String(found.dropFirst(home.url.path.count + 1))
  }

  private func put(_ path: String) throws { try home.write(Data([1]), to: path) }

  @Test func nothingThereSaysWhatToFetch() throws {
    let source = ReleasedWeights(
      name: "tf_efficientnetv2_s.in21k_ft_in1k",
      address: "https://huggingface.co/timm/tf_efficientnetv2_s.in21k_ft_in1k/resolve/main/"
        + "model.safetensors",
      releaseFile: "tf_efficientnetv2_s_21ft1k-d7dafa41.pth",
      destination: home.file(".workbench/weights/tf_efficientnetv2_s.in21k_ft_in1k.safetensors")
        .path)
    let error = #expect(throws: WeightError.notFound(source)) { try find(variant) }
    #expect(
      error?.advice == """
        'download weights tf_efficientnetv2_s.in21k_ft_in1k' fetches them; or save \
        https://huggingface.co/timm/tf_efficientnetv2_s.in21k_ft_in1k/resolve/main/\
        model.safetensors as '\(source.destination)'; PyTorch's hub has them as \
        tf_efficientnetv2_s_21ft1k-d7dafa41.pth
        """)
  }

  @Test func theCacheOfTheHubIsSearched() throws {
    let repository =
      ".cache/huggingface/hub/models--timm--tf_efficientnetv2_s.in21k_ft_in1k"
    func date(_ snapshot: String, _ seconds: Double) throws {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: seconds)],
        ofItemAtPath: home.file("\(repository)/snapshots/\(snapshot)").path)
    }
    try put("\(repository)/snapshots/aaaa/model.safetensors")
    try put("\(repository)/snapshots/bbbb/model.safetensors")
    try put("\(repository)/snapshots/cccc/config.json")
    try date("aaaa", 3000)
    try date("bbbb", 2000)
    try date("cccc", 4000)
    #expect(try find(variant) == "\(repository)/snapshots/aaaa/model.safetensors")
    try home.write(Data("bbbb\n".utf8), to: "\(repository)/refs/main")
    #expect(try find(variant) == "\(repository)/snapshots/bbbb/model.safetensors")
    // Only the configuration of what main means was fetched.
    try home.write(Data("cccc".utf8), to: "\(repository)/refs/main")
    #expect(try find(variant) == "\(repository)/snapshots/aaaa/model.safetensors")
    #expect(throws: WeightError.self) { try find(variant.selecting(tag: "in1k")) }
  }

  @Test func filesInTheHubAreLinks() throws {
    let repository = "models--timm--tf_efficientnetv2_s.in21k_ft_in1k"
    let link = home.file("cache/\(repository)/snapshots/aaaa/model.safetensors")
    try FileManager.default.createDirectory(
      at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: link.path, withDestinationPath: "../../blobs/1234")
    let environment = ["HF_HUB_CACHE": home.file("cache").path]
    #expect(throws: WeightError.self) { try find(variant, environment) }
    try put("cache/\(repository)/blobs/1234")
    #expect(
      try find(variant, environment)
        == "cache/\(repository)/snapshots/aaaa/model.safetensors")
  }

  @Test func theEnvironmentSaysWhereTheCachesAre() throws {
    let file = "models--timm--tf_efficientnetv2_s.in21k_ft_in1k/snapshots/a/model.safetensors"
    let release = "tf_efficientnetv2_s_21ft1k-d7dafa41.safetensors"
    let places: [([String: String], String)] = [
      ([:], ".cache/torch/hub/checkpoints/\(release)"),
      (["XDG_CACHE_HOME": "xdg"], "xdg/torch/hub/checkpoints/\(release)"),
      (["TORCH_HOME": "torch", "XDG_CACHE_HOME": "xdg"], "torch/hub/checkpoints/\(release)"),
      ([:], ".cache/huggingface/hub/\(file)"),
      (["XDG_CACHE_HOME": "xdg"], "xdg/huggingface/hub/\(file)"),
      (["HF_HOME": "hf", "XDG_CACHE_HOME": "xdg"], "hf/hub/\(file)"),
      (["HF_HUB_CACHE": "hub", "HF_HOME": "hf"], "hub/\(file)"),
      ([:], ".workbench/weights/tf_efficientnetv2_s.safetensors"),
      (["WORKBENCH_HOME": "own"], "own/weights/tf_efficientnetv2_s.safetensors"),
    ]
    for (environment, path) in places {
      try put(path)
      let rooted = environment.mapValues { home.file($0).path }
      #expect(try find(variant, rooted) == path)
      let inHome = environment.mapValues { "~/\($0)" }
      #expect(try find(variant, inHome) == path)
    }
    // What is set to nothing is as if it were not set.
    #expect(
      try find(variant, ["WORKBENCH_HOME": ""])
        == ".workbench/weights/tf_efficientnetv2_s.safetensors")
  }

  @Test func theOwnFolderComesFirst() throws {
    try put(".cache/torch/hub/checkpoints/tf_efficientnetv2_s_21ft1k-d7dafa41.safetensors")
    try put(".workbench/weights/tf_efficientnetv2_s.safetensors")
    #expect(try find(variant) == ".workbench/weights/tf_efficientnetv2_s.safetensors")
    // A file without a tag is that of the default tag.
    let other = try variant.selecting(tag: "in1k")
    #expect(throws: WeightError.self) { try find(other) }
    try put(".workbench/weights/timm--tf_efficientnetv2_s.in1k/model.safetensors")
    #expect(
      try find(other) == ".workbench/weights/timm--tf_efficientnetv2_s.in1k/model.safetensors")
    try put(".workbench/weights/tf_efficientnetv2_s.in1k.safetensors")
    #expect(try find(other) == ".workbench/weights/tf_efficientnetv2_s.in1k.safetensors")
  }

  @Test func pyTorchsFilesAreTakenToo() throws {
    let path = ".cache/torch/hub/checkpoints/tf_efficientnetv2_s_21ft1k-d7dafa41.pth"
    try put(path)
    #expect(try find(variant) == path)
    let own = ".workbench/weights/tf_efficientnetv2_s_21ft1k-d7dafa41.pth"
    try put(own)
    #expect(try find(variant) == own)
    let repository = ".cache/huggingface/hub/models--timm--tf_efficientnetv2_s.in1k"
    try put("\(repository)/snapshots/a/pytorch_model.bin")
    #expect(
      try find(variant.selecting(tag: "in1k")) == "\(repository)/snapshots/a/pytorch_model.bin")
  }

  @Test func torchvisionsFilesAreInPyTorchsCache() throws {
    let variant = try Variant.named("efficientnet_v2_s")
    let missing = #expect(throws: WeightError.self) { try find(variant) }
    #expect(
      missing?.advice?.contains(
        "https://download.pytorch.org/models/efficientnet_v2_s-dd5fe13b.pth") == true)
    let path = ".cache/torch/hub/checkpoints/efficientnet_v2_s-dd5fe13b.pth"
    try put(path)
    #expect(try find(variant) == path)
  }

  @Test func kerassFilesAreTakenLast() throws {
    let variant = try Variant.named("tf_efficientnetv2_b0")
    try put(".keras/models/efficientnetv2-b0.h5")
    #expect(try find(variant) == ".keras/models/efficientnetv2-b0.h5")
    try put("keras/models/efficientnetv2-b0.h5")
    #expect(
      try find(variant, ["KERAS_HOME": home.file("keras").path])
        == "keras/models/efficientnetv2-b0.h5")
    // Keras has no weights of another training.
    try put(".keras/models/efficientnetv2-s.h5")
    #expect(throws: WeightError.self) { try find(self.variant) }
  }

  @Test func whatWasNeverReleasedHasASibling() throws {
    let plain = try Variant.named("efficientnetv2_s")
    #expect(
      throws: WeightError.neverReleased(variant: plain.name, sibling: "tf_efficientnetv2_s")
    ) { try find(plain) }
    try put(".workbench/weights/efficientnetv2_s.safetensors")
    #expect(try find(plain) == ".workbench/weights/efficientnetv2_s.safetensors")
  }
}
