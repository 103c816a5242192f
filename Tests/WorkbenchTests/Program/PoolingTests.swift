import Foundation
import Model
import Testing

@testable import Workbench

/// Networks with another pooling than the mean, and known digests, through the built program.
@Suite struct PoolingTests {
  private func preparation(_ pooling: String) -> String {
    """
    seed 3
    data digits limit=32
    load tf_efficientnetv2_b0 global-pool=\(pooling)
    set input-size=32 batch-size=8 epochs=2 warmup-epochs=0 cooldown-epochs=0 hflip=0

    """
  }

  @Test(arguments: ["max", "catavgmax"])
  func aRunRemembersItsPooling(pooling: String) throws {
    let folder = try TestFolder()
    let features = pooling == "max" ? 1280 : 2560
    let whole = try BuiltProgram.run(
      [], in: folder.url, input: preparation(pooling) + "train name=whole\nsave a.wb\n")
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(whole.output.contains("in_features=\(features)"))
    #expect(try folder.text("runs/whole/params.json").contains("\"global-pool\" : \"\(pooling)\""))
    #expect(try folder.text("a.wb").contains("global-pool=\(pooling)"))

    // Every command in a session of its own: the run brings its network.
    let begun = try BuiltProgram.run(
      [], in: folder.url, input: preparation(pooling) + "train name=a stop-at=3\n")
    #expect(begun.status == 0, "\(begun.errors)")
    let resumed = try BuiltProgram.run(["-c", "resume a"], in: folder.url)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try folder.metrics("a") == folder.metrics("whole"))
    let evaluated = try BuiltProgram.run(["-c", "eval a --json"], in: folder.url)
    let row = try folder.metrics("a")[2].split(separator: ",")
    #expect(evaluated.output.contains("\"loss\":\(row[4]),"), "\(evaluated.output) \(row)")

    let loaded = try BuiltProgram.run(
      [
        "-c",
        "load tf_efficientnetv2_b0 weights=runs/a/ckpt/last.safetensors; save-weights out/a.safetensors",
      ], in: folder.url)
    #expect(loaded.status == 0, "\(loaded.errors)")
    #expect(loaded.errors.contains("as the file says: global-pool=\(pooling)"))
    let again = try BuiltProgram.run(
      ["-c", "load tf_efficientnetv2_b0 weights=out/a.safetensors; info"], in: folder.url)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors.contains("as the file says: global-pool=\(pooling)"))
    #expect(again.output.contains("in_features=\(features)"))
  }

  @Test func theMeanIsNotMentioned() throws {
    let folder = try TestFolder()
    let run = try BuiltProgram.run(
      [], in: folder.url, input: preparation("fast") + "train name=a epochs=1\ninfo\n")
    #expect(run.status == 0, "\(run.errors)")
    #expect(!run.output.contains("pooling"))
    #expect(try !folder.text("runs/a/params.json").contains("pool"))
  }

  @Test func aTransformerHasNoPoolingToChoose() throws {
    let folder = try TestFolder()
    let run = try BuiltProgram.run(
      ["-c", "load vit_tiny_patch16_224 global-pool=avg"], in: folder.url)
    #expect(run.status == 3)
    #expect(run.errors.contains("its classifier sees the class token"), "\(run.errors)")
    #expect(run.errors.contains("leave global-pool= out"))
  }

  @Test func aKnownDigestIsNotComputedAgain() throws {
    let folder = try TestFolder()
    let file = BuiltProgram.repository.appending(
      path: "Tests/Fixtures/weights/mini-timm-legacy.pth")
    let real = try sha256(of: file)
    let first = try BuiltProgram.run(["-c", "info \(file.path)"], in: folder.url)
    #expect(first.output.contains(real), "\(first.errors)")
    #expect(try folder.text("home/digests").contains(real))
    // One that was never computed shows that it is looked up, and that sha256= is compared with it.
    let invented = String(repeating: "a", count: 64)
    DigestCache(file: folder.url.appending(path: "home/digests"))
      .keep(invented, of: try #require(FileStamp(of: file)))
    let second = try BuiltProgram.run(["-c", "info \(file.path)"], in: folder.url)
    #expect(second.output.contains(invented))
    let loaded = try BuiltProgram.run(
      ["-c", "load tf_efficientnetv2_b0 weights=\(file.path) sha256=\(real)"], in: folder.url)
    #expect(loaded.status == 7 && loaded.errors.contains(invented), "\(loaded.errors)")
  }
}
