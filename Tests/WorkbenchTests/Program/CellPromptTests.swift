import Foundation
import Testing

/// The prompt as a notebook: cells, stale marks, undo, recovery.
@Suite(.serialized) struct CellPromptTests {
  static let script = """
    version 1
    # A small notebook.
    param rate:float = 0.05 in 0..1 "the rate"

    # %% About [markdown]
    # Some text.

    # %% Load id="load"
    # little data
    data digits limit=32
    load tf_efficientnetv2_b0
    set input-size=32 batch-size=16 epochs=1 warmup-epochs=0 cooldown-epochs=0

    # %% Train id="train" tags="slow"
    set lr=${rate}
    train name=a max-steps=2

    # %% Broken
    eval nosuch
    """

  @Test func steppingThroughCells() throws {
    let folder = try TestFolder()
    try folder.write(Self.script, to: "book.wb")
    let session = try PromptSession(in: folder.url)
    session.expect("workbench>")
    session.type("open book.wb\r")
    session.expect("4 cells; 'step' runs the next")
    session.type("step\r")
    session.expect("[the preamble]")
    session.expect("workbench> ")
    session.type("step\r")
    session.expect("[cell 2 \"Load\"]")
    session.expect("> data digits limit=32")
    session.expect("workbench b0·digits *> ")
    session.type("step 2\r")
    session.expect("> set lr=0.05")
    session.expect("finished")
    session.expect("cell 4 \"Broken\":1:1: error: there is no run 'nosuch'")
    session.expect("'edit 4' opens it")
    // Another image count above makes the training stale, and it is run again with what it needs.
    session.type("run load\r")
    session.expect("workbench b0·digits *> ")
    session.type("set batch-size=8\r")
    session.expect("16 → 8")
    session.expect("[1 stale]> ")
    session.type("cells\r")
    session.expect("3  ~  train")
    session.expect("4  ✗")
    session.type("drop 4\r")
    session.expect("dropped cell 4")
    session.type("run stale\r")
    session.expect("[cell 3 \"Train\"]")
    session.expect("finished")
    session.expect("workbench b0·digits *> ")
    session.type("save copy.wb\r")
    session.expect("this file reproduces the current state: yes")
    session.type("quit\r")
    #expect(session.finish() == 0)
    let saved = try folder.text("copy.wb")
    for line in [
      "param rate:float = 0.05 in 0..1 \"the rate\"", "# %% About [markdown]\n# Some text.",
      "# %% Load id=\"load\"\n# little data\ndata digits limit=32",
      "# %% Train id=\"train\" tags=\"slow\"", "set lr=${rate}",
    ] {
      #expect(saved.contains(line), "\(line)\n\(saved)")
    }
    let again = try BuiltProgram.run(["replay", "copy.wb", "--out", "out"], in: folder.url)
    #expect(again.status == 0, "\(again.errors)")
    try folder.write(try folder.text("out/runs/a/metrics.csv"), to: "runs/copy/metrics.csv")
    #expect(try folder.metrics("copy") == folder.metrics("a"))
  }

  @Test func trainingsAreUndoneToTheSameBits() throws {
    let folder = try TestFolder()
    let session = try PromptSession(in: folder.url)
    session.expect("workbench>")
    session.type("data digits limit=32; load tf_efficientnetv2_b0\r")
    session.expect("Linear(")
    session.type("set input-size=32 batch-size=16 epochs=9 warmup-epochs=0 cooldown-epochs=0\r")
    session.expect("cooldown-epochs")
    session.type("train name=a max-steps=2\r")
    session.expect("finished")
    session.expect("*> ")
    session.type("undo\r")
    session.expect("undid 'train name=a max-steps=2'")
    session.expect("its run is kept as runs/a.undone")
    session.expect("*> ")
    session.type("train name=b max-steps=2\r")
    session.expect("finished")
    session.expect("*> ")
    // A continuation that is undone leaves the run as it was, and can be done again.
    session.type("resume b max-steps=4\r")
    session.expect("finished")
    session.expect("*> ")
    session.type("undo; resume b max-steps=4; undo; redo\r")
    session.expect("did 'resume b max-steps=4' again")
    session.expect("*> ")
    session.type("set lr=0.3; undo; undo --list\r")
    session.expect("MiB")
    session.expect("redo  set lr=0.3")
    session.type("save s.wb\r")
    session.expect("this file reproduces the current state: yes")
    session.type("quit\r")
    #expect(session.finish() == 0)
    #expect(try folder.metrics("a.undone").count == 2)
    #expect(try Array(folder.metrics("b").prefix(2)) == folder.metrics("a.undone"))
    #expect(try folder.metrics("b") == folder.metrics("b.undone"))
    #expect(try folder.weights("b") == folder.weights("b.undone"))
    let saved = try folder.text("s.wb")
    #expect(!saved.contains("name=a") && !saved.contains("lr=0.3"))
    #expect(!folder.exists("runs/.undo"))
  }

  @Test func aCrashLosesAtMostTheCommandThatRan() throws {
    let folder = try TestFolder()
    let session = try PromptSession(in: folder.url)
    session.expect("workbench>")
    session.type("data digits limit=32; load tf_efficientnetv2_b0\r")
    session.expect("Linear(")
    session.type("cell \"Train\" id=t\r")
    session.type("set input-size=32 batch-size=16 epochs=400 warmup-epochs=0 cooldown-epochs=0\r")
    session.expect("cooldown-epochs")
    session.type("train name=a max-steps=3\r")
    session.expect("finished")
    session.type("train name=b\r")
    session.expect("3/400")
    session.crash()

    let second = try PromptSession(in: folder.url)
    second.expect("was cut off here: 'recover' brings it back")
    second.type("recover\r")
    second.expect("its run 'b' is there up to epoch")
    second.expect("recovered 5 commands")
    second.expect("workbench b0·digits")
    second.type("cells\r")
    second.expect("Train")
    second.type("resume b epochs=5\r")
    second.expect("workbench b0·digits")
    second.type("save s.wb\r")
    second.expect("wrote s.wb")
    second.type("quit\r")
    #expect(second.finish() == 0)
    let saved = try folder.text("s.wb")
    #expect(saved.contains("train name=a max-steps=3"))
    #expect(saved.contains("train name=b stop-after="), "\(saved)")
    #expect(saved.contains("resume b epochs=5"))
    let third = try PromptSession(in: folder.url)
    third.expect("workbench>")
    third.type("recover\r")
    third.expect("no session ended in a crash")
    third.type("quit\r")
    #expect(third.finish() == 0)
  }

  @Test func anEditorChangesACell() throws {
    let folder = try TestFolder()
    try folder.write("#!/bin/sh\nsed -i s/0.05/0.07/ \"$1\"\n", to: "editor")
    chmod(folder.url.appending(path: "editor").path, 0o755)
    try folder.write(Self.script, to: "book.wb")
    let session = try PromptSession(
      in: folder.url, environment: ["EDITOR": folder.url.path + "/editor"])
    session.expect("workbench>")
    session.type("open book.wb; edit 0; cells 0\r")
    session.expect("the preamble was changed")
    session.expect("param rate:float = 0.07")
    session.type("undo; cells 0\r")
    session.expect("param rate:float = 0.05")
    session.type("edit load\r")
    session.expect("is as it was")
    session.type("note remember this\r")
    session.type("save book2.wb cells=all\r")
    session.expect("5 cells as they are written")
    session.type("quit\r")
    #expect(session.finish() == 0)
    #expect(try folder.text("book2.wb").contains("# remember this"))
    #expect(try folder.text("book2.wb").contains("# %% Broken\neval nosuch"))
  }

  @Test func aSavedSessionOffersParametersAndDemands() throws {
    let folder = try TestFolder()
    let made = try BuiltProgram.run(
      [
        "-c",
        "data digits limit=16; load tf_efficientnetv2_b0; set input-size=32 batch-size=16 epochs=2 "
          + "warmup-epochs=0 cooldown-epochs=0; train name=a max-steps=1; "
          + "save s.wb params=batch-size,data --expect",
      ], in: folder.url)
    #expect(made.status == 0, "\(made.errors)")
    let script = try folder.text("s.wb")
    #expect(script.contains("param batch-size:int = 16"))
    #expect(script.contains("param data:str = digits"))
    #expect(script.contains("data ${data} limit=16"))
    #expect(script.contains("expect eval_top1 == "))
    let same = try BuiltProgram.run(["replay", "s.wb", "--out", "o"], in: folder.url)
    #expect(same.status == 0, "\(same.errors)")
    let other = try BuiltProgram.run(
      ["replay", "s.wb", "--out", "p", "-p", "batch-size=8"], in: folder.url)
    #expect(other.status == 5, "\(other.errors)")
    let refused = try BuiltProgram.run(
      ["-c", "set lr=0.1; save t.wb params=epochs"], in: folder.url)
    #expect(refused.status == 3)
    #expect(refused.errors.contains("nothing that is saved says 'epochs'"))
  }
}
