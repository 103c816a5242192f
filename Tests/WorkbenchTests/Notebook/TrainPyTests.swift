import DSL
import Foundation
import Model
import Testing

@testable import Workbench

/// The arguments of the original notebook's train.py.
@Suite struct TrainPyTests {
  private func settings(_ text: String) -> [String: String] {
    let call = TrainPyCall(ShellWords.commands(in: text)[0])
    #expect(call.problems == [], "\(text)")
    return Dictionary(uniqueKeysWithValues: call.settings.map { ($0.key, $0.value) })
  }

  @Test func thereAreAllFiftyOneArguments() {
    // The folder of the data has no flag.
    #expect(TrainPyFlag.all.count == 50)
    let names = TrainPyFlag.all.flatMap(\.names)
    #expect(Set(names).count == names.count)
    for short in ["-s", "-w", "-d", "-i", "-n", "-b", "-m", "-g", "-o", "-l", "-e", "--dr"] {
      #expect(names.contains(short), "\(short)")
    }
  }

  @Test func everySettingIsTakenOver() {
    let text = """
      data -s 7 -w 4 --eval-metric top5 -i 3 64 64 -b 16 -o adamw --scale 0.2 0.9 --ratio 1 1.5 \
      --hflip 0 --vflip 0.1 --color-jitter 0.2 --aa rand-m9-mstd0.5 --aug-splits 3 --bce-loss \
      --mixup 0.2 --cutmix 1.0 --cutmix-minmax 0.2 0.8 --mixup-prob 0.9 --mixup-switch-prob 0.4 \
      --mixup-mode elem --smoothing 0 --drop 0.1 -l 1e-3 --sched step --lr-noise 0.4 0.9 \
      --lr-noise-pct 0.5 --lr-noise-std 2 --lr-cycle-mul 2 --lr-cycle-decay 0.3 --lr-cycle-limit 2 \
      --lr-k-decay 0.5 --warmup-lr 1e-5 --min-lr 1e-7 -e 20 --epoch-repeats 1 --decay-epochs 2.4 \
      --warmup-epochs 5 --cooldown-epochs 0 --patience-epochs 3 --dr 0.97 --no-aug
      """
    let found = settings(text)
    #expect(found.count == 41)
    #expect(found["seed"] == "7" && found["input-size"] == "64" && found["batch-size"] == "16")
    #expect(found["scale"] == "[0.2,0.9]" || found["scale"] == "0.2,0.9")
    #expect(found["opt"] == "adamw" && found["bce-loss"] == "on" && found["no-aug"] == "on")
    #expect(found["decay-rate"] == "0.97" && found["epochs"] == "20")
  }

  @Test func flagsAreReadAsArgparseReadsThem() throws {
    #expect(settings("d -b32") == ["batch-size": "32"])
    #expect(settings("d -b=32") == ["batch-size": "32"])
    #expect(settings("d --batch-size=32") == ["batch-size": "32"])
    #expect(settings("d --batch 32") == ["batch-size": "32"])
    #expect(settings("d --lr 1 --lr 2") == ["lr": "2"])
    #expect(settings("--scale 0.5 1 d") == settings("d --scale 0.5 1"))
    #expect(settings("d --lr-noise 0.4").count == 1)
    let call = TrainPyCall(["--pretrained", "d", "-n", "10", "--dataset-download", "-g", "max"])
    #expect(call.folder == "d" && call.isPretrained && call.downloads && call.classes == "10")
    let load = try call.loadLine(intent: false).get()
    #expect(load.hasSuffix("pretrained classes=10 global-pool=max"))
  }

  @Test func whatCannotBeTakenOverIsNamed() {
    func problems(_ text: String) -> [String] {
      TrainPyCall(ShellWords.commands(in: text)[0]).problems
    }
    #expect(problems("d --epoch-count 3").first?.contains("no '--epoch-count'") == true)
    #expect(
      problems("d --warmup-epoch 3 x") == ["train.py takes one folder of data; 'x' was left out"])
    #expect(problems("d --bath-size 3").first?.contains("did you mean --batch-size?") == true)
    #expect(problems("d --lr fast").first?.contains("--lr fast") == true)
    #expect(problems("d --opt novograd").count == 1)
    #expect(problems("d -i 1 28 28").count == 1)
    #expect(problems("d --val-split train").count == 1)
    #expect(problems("d --val-split val") == [])
    #expect(problems("d --scale 0.5").count == 1)
    #expect(problems("d --output results").first?.contains("--out results") == true)
  }

  @Test func dataSetsByTheirNames() throws {
    func line(_ text: String) throws -> String {
      try TrainPyCall(ShellWords.commands(in: text)[0]).dataLine().get()
    }
    #expect(try line("d") == "data cifar100 dir=d")
    #expect(try line("'my data' -d torch/cifar10") == "data cifar10 dir=\"my data\"")
    #expect(try line("d -d torch/qmist --dataset-download") == "data qmnist download dir=d")
    #expect(try line("d -d torch/fashion_mnist") == "data fashion_mnist dir=d")
    #expect(try line("d -d ''") == "data folder dir=d")
    #expect(try line("x.tar -d ''") == "data tar file=x.tar")
    #expect(throws: CommandError.self) { try line("d -d torch/places365") }
  }

  @Test func shellWords() {
    #expect(
      ShellWords.commands(in: "a 'b c' \"d \\\" e\" # no\nf\\ g && h; i \\\n j")
        == [["a", "b c", "d \" e"], ["f g"], ["h"], ["i", "j"]])
    #expect(ShellWords.quoted("it's") == "'it'\\''s'" && ShellWords.quoted("") == "''")
  }

  @Test func settingsGoBackToFlags() throws {
    let folder = try TestFolder()
    let result = try BuiltProgram.run(
      [
        "-c",
        "data digits; load tf_efficientnetv2_b0; set epochs=50 scale=[0.5,1] decay-epochs=3 "
          + "no-aug=off input-size=64 bce-loss=on momentum=0.8; export --train-py",
      ], in: folder.url)
    #expect(result.status == 0)
    let line = try #require(result.output.split(separator: "\n").last { $0.hasPrefix("python") })
    #expect(
      line
        == "python train.py datasets --model tf_efficientnetv2_b0 --num-classes 10 --input-size 3 64 64 "
        + "--scale 0.5 1 --bce-loss --epochs 50")
    #expect(
      result.errors.contains("decay-epochs=3 is left out") && result.errors.contains("momentum=0.8")
    )
    // The flags mean the same when they are read again.
    let call = TrainPyCall(Array(ShellWords.commands(in: String(line))[0].dropFirst(2)))
    #expect(call.problems == [] && call.settings.count == 4)
  }
}
