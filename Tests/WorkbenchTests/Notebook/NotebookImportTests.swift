import DSL
import Foundation
import Testing

@testable import Workbench

/// Notebooks as session files.
@Suite struct NotebookImportTests {
  static let fixtures = BuiltProgram.repository.appending(path: "Tests/Fixtures/Notebook")

  private func imported(_ name: String, intent: Bool = false) throws -> NotebookImport {
    let notebook = try JupyterNotebook(
      contentsOf: Self.fixtures.appending(path: name), named: name)
    return NotebookImport(notebook, named: name, intent: intent)
  }

  private func imported(cells: [JupyterNotebook.Cell]) -> NotebookImport {
    NotebookImport(JupyterNotebook(cells: cells), named: "x.ipynb", intent: false)
  }

  private func code(_ source: String) -> NotebookImport {
    imported(cells: [.init(kind: .code, source: source)])
  }

  /// The commands of a script, without comments.
  private func commands(_ text: String) -> [String] {
    text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") && $0 != "version 1" }
  }

  /// Whether the language takes a script; what lies on this machine does not count.
  private func isSound(_ text: String) -> Bool {
    let checker = Checker(vocabulary: CommandSet.table.vocabulary)
    return checker.check(Source(name: "x.wb", text: text), as: .file).isSound
  }

  @Test func theOriginalNotebookBecomesItsCommands() throws {
    let result = try imported("main.ipynb")
    #expect(result.remarks == [])
    #expect(isSound(result.text))
    let commands = commands(result.text)
    #expect(
      commands.prefix(6) == [
        "load efficientnetv2_rw_s pretrained", "info params", "info classifier",
        "load efficientnetv2_rw_m pretrained", "info params", "info classifier",
      ])
    #expect(
      commands[6..<14] == [
        "seed 42", "data cifar10 download dir=datasets", "load efficientnetv2_rw_s head=keep",
        "set epochs=50", "train name=efficientnetv2_rw_s-cifar10",
        "plot train_loss > efficientnetv2_rw_s-cifar10-loss.png",
        "plot top1 > efficientnetv2_rw_s-cifar10-top1.png",
        "plot top5 > efficientnetv2_rw_s-cifar10-top5.png",
      ])
    #expect(commands.count { $0.hasPrefix("train ") } == 6)
    // The data changes with each cell, the seed never.
    #expect(commands.count { $0.hasPrefix("data ") } == 6)
    #expect(commands.count { $0.hasPrefix("seed ") } == 1)
    #expect(
      result.text.contains("# %% EfficientNetV2 on CIFAR [markdown]\n# # EfficientNetV2 on CIFAR"))
    #expect(result.text.contains("#> EfficientNetV2-M Params:  53236442"))
    #expect(!result.text.contains("\u{1B}"))
    #expect(result.text.contains("tags=\"slow\""))
    let script = Parser.parse(Source(name: "x", text: result.text))
    #expect(script.cells.count == 15)  // the header and 14 cells
  }

  @Test func theIntentIsFineTuning() throws {
    let commands = commands(try imported("main.ipynb", intent: true).text)
    #expect(commands.contains("load efficientnet_b3 pretrained classes=auto"))
  }

  @Test func theThirdFormOfTheFileIsRead() throws {
    let result = try imported("form3.ipynb")
    #expect(isSound(result.text))
    #expect(
      commands(result.text).prefix(5) == [
        "seed 42", "data folder dir=data/flowers", "load efficientnet_b0 classes=5",
        "set batch-size=8 lr=0.01", "train name=efficientnet_b0-folder",
      ])
    #expect(result.text.contains("# %% An old notebook [markdown]"))
    #expect(result.text.contains("#| 1 + 1"))
    #expect(result.remarks.map(\.cell) == [4])
  }

  @Test func thePictureScriptBecomesPredictAndFeatures() throws {
    let result = try imported("image_test.py")
    #expect(result.remarks == [])
    #expect(isSound(result.text))
    #expect(
      commands(result.text) == [
        "load efficientnetv2_rw_s pretrained", "info transform", "predict dog.jpg top=5",
        "features dog.jpg > features.png",
      ])
    #expect(
      result.text.contains("# fetch the picture first: curl -L -o dog.jpg https://github.com/"))
  }

  @Test(arguments: [
    "%run train.py data", "%run -i ./train.py data", "!python train.py data",
    "! CUDA_VISIBLE_DEVICES=0 python3 -u code/train.py data",
    "%%bash\nset -e\npython train.py data",
    "%%script bash\ncd code && python train.py data",
    "import os\nos.system('python train.py data')",
    "get_ipython().run_line_magic('run', 'train.py data')",
    "get_ipython().system('torchrun --nproc_per_node=1 train.py data')",
    "%%time\n%run train.py data", "%time %run train.py data",
    "ROOT = 'data'\n!python train.py {ROOT}",
    "ROOT = 'data'\n!python train.py $ROOT  # the folder",
  ])
  func everyWayToCallTheTrainer(source: String) {
    let result = code(source)
    #expect(result.remarks == [], "\(source)")
    #expect(
      commands(result.text).prefix(3) == [
        "seed 42", "data cifar100 dir=data", "load efficientnetv2_rw_s head=keep",
      ], "\(source)")
  }

  @Test func settingsOfOneCallDoNotLeakIntoTheNext() {
    let result = code(
      "!python train.py d -d torch/cifar10 --mixup 0.2 -b 64\n!python train.py d -d torch/cifar10 -b 16"
    )
    let commands = commands(result.text)
    #expect(commands.contains("set mixup=0.2 batch-size=64"))
    #expect(commands.contains("unset mixup") && commands.contains("set batch-size=16"))
    #expect(commands.contains("train name=efficientnetv2_rw_s-cifar10-2"))
    #expect(commands.count { $0.hasPrefix("data ") } == 1)
  }

  @Test func whatIsNotUnderstoodIsKeptAndNamed() {
    let result = code(
      "import torch\nx = 3\nfor i in range(3):\n    print(i)\n    y = foo(i)\nprint(x)")
    #expect(commands(result.text) == [])
    #expect(result.text.contains("#| for i in range(3):\n#|     print(i)\n#|     y = foo(i)"))
    #expect(result.remarks.map(\.line) == [3])
    let loop = code("for m in names:\n    !python train.py data -m {m}")
    #expect(commands(loop.text) == [])
    #expect(loop.remarks.count == 1)
    let data = code("!python train.py /data -d tfds/cifar10")
    #expect(data.remarks.first?.message.contains("'tfds/cifar10' is not known") == true)
    #expect(commands(data.text) == [])
    let model = code("!python train.py /data -m resnet50")
    #expect(model.remarks.first?.message.contains("resnet50") == true)
  }

  @Test func valuesThatNoCommandTakesDoNotSpoilTheScript() {
    let hostile = [
      "!python train.py 'my data; rm'", "!python train.py d -g biggest",
      "m = timm.create_model('efficientnet_b0', checkpoint_path='my weights > x.bin')",
      "timm.list_models('a b')",
      "img = Image.open('my dog.jpg')\ntop = torch.topk(p, 9999)\nf = m.forward_features(x)",
      "%%script workbench\nversion 1\nenv", "%%script workbench\nlod x",
      "%%script workbench\nenv \\",
      "!python train.py d \"unclosed", "%run", "!", "%%", "x = create_model(",
    ]
    for source in hostile {
      let result = code(source)
      #expect(isSound(result.text), "\(source): \(result.text)")
    }
    #expect(code(hostile[0]).text.contains("data cifar100 dir=\"my data; rm\""))
    let wrong = code("!python train.py d -n many")
    #expect(
      wrong.remarks.first?.message.contains("not 'many'") == true && commands(wrong.text) == [])
    #expect(code(hostile[2]).text.contains("weights=\"my weights > x.bin\""))
    #expect(code(hostile[4]).text.contains("features \"my dog.jpg\" > features.png"))
    #expect(code(hostile[6]).remarks.count == 1)
    let loop = code("%%script workbench --quiet\nfor n in 1 2 {\n  seed ${n}\n}")
    #expect(loop.remarks == [] && loop.text.contains("for n in 1 2 {\n  seed ${n}\n}"))
  }

  @Test func textIsNeverTakenForACommandOrACell() {
    let text = "%% not a cell\ntrain name=x\n\n# %% neither [markdown]\n\u{1B}[1mbold\u{7}"
    let result = imported(cells: [
      .init(kind: .markdown, source: text, attachments: ["figure.png"]),
      .init(kind: .raw, source: "load nothing"),
    ])
    #expect(commands(result.text) == [])
    #expect(Parser.parse(Source(name: "x", text: result.text)).cells.count == 3)
    #expect(isSound(result.text))
    #expect(
      result.remarks.map(\.message) == ["the picture 'figure.png' within the text is left out"])
  }

  @Test func oddFilesAreRefusedInWords() throws {
    let odd = [
      "": "it is empty", "{\"cells\": [": "it is not valid JSON", "[]": "no object",
      "{\"nbformat\": 4}": "it has no cells",
    ]
    for (text, reason) in odd {
      let error = #expect(throws: CommandError.self) {
        try JupyterNotebook(json: Data(text.utf8), named: "x.ipynb")
      }
      #expect(error?.message.contains(reason) == true, "\(text)")
    }
    let bare = "\u{FEFF}{\"cells\": [7, {}, {\"cell_type\": \"code\"}], \"nbformat\": 4}"
    let notebook = try JupyterNotebook(json: Data(bare.utf8), named: "x.ipynb")
    #expect(notebook.cells == [.init(kind: .code, source: "")])
    #expect(try JupyterNotebook(json: Data("{\"cells\":[]}".utf8), named: "x").cells == [])
  }

  @Test func largeNotebooksTakeNoTimeToSpeakOf() {
    let cell = JupyterNotebook.Cell(
      kind: .code, source: "!python train.py d -d torch/cifar10 --epochs 3\nunknown(1)")
    let result = imported(cells: Array(repeating: cell, count: 500))
    #expect(result.remarks.count == 500)
    #expect(isSound(result.text))
  }
}
