import DSL
import Foundation
import Model
import Testing

@testable import Workbench

/// Parts of the training recipe, as one uses them at the prompt.
@Suite struct RecipeTests {
  private static let small = [
    "data digits limit=32", "load tf_efficientnetv2_b0",
    "set input-size=32 batch-size=8 warmup-epochs=0 cooldown-epochs=0 epochs=3 max-steps=9 lr=0.01",
  ]

  private func run(_ lines: [String], _ folder: TestFolder) throws -> BuiltProgram.Result {
    try BuiltProgram.run(
      [], in: folder.url, input: (Self.small + lines).joined(separator: "\n") + "\n")
  }

  /// The 51 arguments of the notebook's train.py.
  private static let trainScript = """
    seed workers eval-metric output data-dir dataset train-split val-split dataset-download \
    input-size num-classes batch-size model pretrained global_pool opt no-aug scale ratio hflip \
    vflip color-jitter aa aug-splits bce-loss mixup cutmix cutmix-minmax mixup-prob \
    mixup-switch-prob mixup-mode smoothing drop lr sched lr-noise lr-noise-pct lr-noise-std \
    lr-cycle-mul lr-cycle-decay lr-cycle-limit lr-k-decay warmup-lr min-lr epochs epoch-repeats \
    decay-epochs warmup-epochs cooldown-epochs patience-epochs decay-rate
    """.split(separator: " ").map(String.init)

  @Test func everyArgumentOfTheNotebookIsUnderstood() {
    #expect(Self.trainScript.count == 51)
    for name in Self.trainScript {
      let key = name.replacing("_", with: "-")
      let isKey = HyperparameterKey.find(key) != nil
      #expect(isKey || TrainScriptFlags.hints[key] != nil, "\(name)")
    }
    for name in TrainScriptFlags.hints.keys {
      #expect(HyperparameterKey.find(name) == nil, "\(name) is a key, the hint never shows")
    }
  }

  @Test func otherFlagsAreExplained() throws {
    let folder = try TestFolder()
    for line in ["set model=efficientnet_b0", "train model=x", "model=efficientnet_b0"] {
      let result = try BuiltProgram.run(["-c", line], in: folder.url)
      #expect(result.status == 4, "\(line)")
      #expect(
        result.errors.contains("'model' is an argument of load: load efficientnetv2_rw_s"),
        "\(line): \(result.errors)")
    }
    let unset = try BuiltProgram.run(["-c", "unset data_dir"], in: folder.url)
    #expect(unset.errors.contains("data cifar10 dir=datasets"))
  }

  @Test func theClassifierTrainsFirst() throws {
    let folder = try TestFolder()
    let result = try run(["train name=h head-epochs=2 val-interval=3"], folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("epochs 1 to 2: the classifier alone trains (head-epochs)"))
    #expect(result.errors.contains("epoch 3: all of the network trains that 'freeze' leaves"))
    let log = try folder.text("runs/h/log.txt")
    #expect(log.contains("the classifier alone trains"))
    #expect(try folder.text("runs/h/events.jsonl").contains("\"phase\""))
  }

  @Test func checkpointsArePruned() throws {
    let folder = try TestFolder()
    let result = try run(
      ["train name=p keep=9 epochs=2", "checkpoint prune p keep=2", "checkpoint prune p keep=2"],
      folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("removed the checkpoints of epoch 0"))
    #expect(result.errors.contains("nothing to remove"))
    let one = try BuiltProgram.run(["-c", "checkpoint prune p"], in: folder.url)
    #expect(one.errors.contains("removed the checkpoints of epoch 1"), "\(one.errors)")
    let wrong = try BuiltProgram.run(["-c", "checkpoint prune p@2"], in: folder.url)
    #expect(wrong.errors.contains("takes a run, not a checkpoint"))
    let listed = try BuiltProgram.run(["-c", "checkpoint list p keep=2"], in: folder.url)
    #expect(listed.errors.contains("keep= is for 'checkpoint prune'"))
    #expect(folder.exists("runs/p/ckpt/epoch-0002.safetensors"))
    #expect(!folder.exists("runs/p/ckpt/epoch-0001.safetensors"))
    #expect(folder.exists("runs/p/ckpt/last.safetensors"))
  }

  @Test func recalibrationChangesWhatIsEvaluated() throws {
    let folder = try TestFolder()
    let result = try run(
      ["train name=r epochs=1", "eval --json", "recalibrate batches=4", "eval --json", "info"],
      folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("the mean over 4 batches of 8 images"))
    let losses = result.output.split(separator: "\n").filter { $0.contains("\"loss\"") }
    #expect(losses.count == 2 && losses[0] != losses[1])
    #expect(result.output.contains("running statistics of 4 batches"))
  }

  @Test func aRunRemembersItsChannels() throws {
    let folder = try TestFolder()
    let gray = [Self.small[0], Self.small[1] + " in-chans=1", Self.small[2], "set epochs=2"]
    func run(_ line: String) throws -> BuiltProgram.Result {
      try BuiltProgram.run(
        [], in: folder.url, input: (gray + [line]).joined(separator: "\n") + "\n")
    }
    let whole = try run("train name=whole\nsave a.wb\n")
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(whole.output.contains("1×192×192") && whole.output.contains("mean (0.449)"))
    #expect(try folder.text("runs/whole/params.json").contains("\"in-chans\" : 1"))
    #expect(try folder.text("a.wb").contains("in-chans=1"))

    // Every command in a session of its own: the run brings its network.
    #expect(try run("train name=a stop-at=3").status == 0)
    let resumed = try BuiltProgram.run(["-c", "resume a"], in: folder.url)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try folder.metrics("a") == folder.metrics("whole"))
    let written = try BuiltProgram.run(
      [
        "-c",
        "load tf_efficientnetv2_b0 weights=runs/a/ckpt/last.safetensors; save-weights a.safetensors",
      ], in: folder.url)
    #expect(written.status == 0, "\(written.errors)")
    #expect(written.errors.contains("in-chans=1"))
    #expect(try folder.text("config.json").contains("\"in_chans\" : 1"))
    let image = try FileManager.default.contentsOfDirectory(
      atPath: BuiltProgram.repository.appending(path: "Tests/Fixtures/data/images").path
    ).first { $0.hasSuffix(".jpg") }
    let picture = "\(BuiltProgram.repository.path)/Tests/Fixtures/data/images/\(image ?? "")"
    let used = try BuiltProgram.run(
      [
        "-c",
        "load tf_efficientnetv2_b0 weights=a.safetensors; set input-size=32; predict \(picture) --json; "
          + "features \(picture); info layers; bench rounds=1 batch-size=2",
      ], in: folder.url)
    #expect(used.status == 0 && used.output.contains("probability"), "\(used.errors)")
  }

  @Test func otherChannelsAreRefusedForPictures() throws {
    let folder = try TestFolder()
    let result = try BuiltProgram.run(
      ["-c", "data digits limit=16; load tf_efficientnetv2_b0 in-chans=4; info; eval"],
      in: folder.url)
    #expect(result.status == 3 && result.output.contains("4×192×192"), "\(result.errors)")
    #expect(result.errors.contains("pictures have 3 or 1"))
  }

  @Test func theHeaderNamesTheImagesThatJudge() throws {
    let folder = try TestFolder()
    let plain = try run(["train name=a epochs=1 max-steps=1"], folder)
    #expect(plain.errors.contains(" test images") && !plain.errors.contains("validation images"))
    let split = try BuiltProgram.run(
      [], in: folder.url,
      input: (["data digits limit=64 val-fraction=0.25"] + Self.small.dropFirst()
        + ["train name=b epochs=1 max-steps=1"]).joined(separator: "\n"))
    #expect(split.errors.contains("64 validation images"), "\(split.errors)")
  }
}
