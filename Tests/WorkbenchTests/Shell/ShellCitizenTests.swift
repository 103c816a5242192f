import ArgumentParser
import DSL
import Foundation
import Testing

@testable import Workbench

/// The program among other programs: streams, redirections, completions, manual.
@Suite struct ShellCitizenTests {
  /// Runs a line of a shell in which `workbench` is the built program.
  private func shell(
    _ line: String, in folder: TestFolder, environment: [String: String] = [:]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", line]
    process.currentDirectoryURL = folder.url
    var variables = BuiltProgram.environment(home: folder.url, adding: environment)
    variables["PATH"] =
      BuiltProgram.url.deletingLastPathComponent().path + ":"
      + (variables["PATH"] ?? "/usr/bin:/bin")
    process.environment = variables
    let file = folder.url.appending(path: ".output-\(UUID().uuidString)")
    try Data().write(to: file)
    process.standardOutput = try FileHandle(forWritingTo: file)
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOf: file, encoding: .utf8))
  }

  private static let small = ReplayTests.preparation.replacing("\n", with: "; ")

  private func hasControls(_ text: String) -> Bool {
    text.unicodeScalars.contains {
      $0 != "\n" && $0 != "\t" && $0.properties.generalCategory == .control
    }
  }

  @Test func outputThatNobodyReadsToTheEndIsNoError() throws {
    let folder = try TestFolder()
    let head = try shell(
      "workbench -c 'show all; models' | head -n 2; echo ${PIPESTATUS[0]}", in: folder)
    let lines = head.output.split(separator: "\n")
    #expect(lines.count == 3 && lines[2] == "0", "\(head.output)")
    let closed = try shell("workbench -c 'models' >&-; echo $?", in: folder)
    #expect(closed.output == "0\n")
    let noInput = try shell("workbench <&-; echo $?", in: folder)
    #expect(noInput.output == "0\n")
    let noErrors = try shell("workbench -c 'env; lod' 2>&-; echo $?", in: folder)
    #expect(noErrors.output == "4\n")
  }

  @Test(arguments: [["TERM": "dumb"], ["NO_COLOR": "1", "TERM": "xterm-256color"], ["TERM": ""]])
  func redirectedOutputIsPlainText(environment: [String: String]) throws {
    let folder = try TestFolder()
    let line =
      "workbench -c '\(Self.small); train name=a epochs=1; plot loss; eval; lod' 2>errors.txt | tee copy.txt; "
      + "workbench -c '\(Self.small); train name=b epochs=1; plot loss; show all' 2>more.txt | tee -a copy.txt"
    _ = try shell(line, in: folder, environment: environment)
    for name in ["copy.txt", "errors.txt", "more.txt"] {
      let text = try folder.text(name)
      #expect(!text.isEmpty && !hasControls(text), "\(name)")
    }
  }

  @Test func trainingOutlivesItsTerminal() throws {
    let folder = try TestFolder()
    try folder.write(
      "version 1\n" + ReplayTests.preparation + "\ntrain name=a epochs=1\n", to: "a.wb")
    let result = try shell("nohup workbench replay a.wb > log.txt 2>&1; echo $?", in: folder)
    #expect(result.output == "0\n")
    #expect(!hasControls(try folder.text("log.txt")))
    #expect(try folder.text("runs/a/metrics.csv").split(separator: "\n").count == 2)
  }

  @Test func aScriptIsAProgram() throws {
    let folder = try TestFolder()
    try folder.write("#!/usr/bin/env -S workbench replay\nversion 1\nmodels *b0\n", to: "m.wb")
    let result = try shell("chmod +x m.wb && ./m.wb --quiet; echo $?", in: folder)
    #expect(result.output.contains("tf_efficientnetv2_b0") && result.output.hasSuffix("\n0\n"))
  }

  // MARK: Commands

  @Test func tablesTakeTheChosenForm() throws {
    let folder = try TestFolder()
    let result = try BuiltProgram.run(
      [
        "-c",
        "output csv; models *v2_b0; output json; models *v2_b0; models *v2_b0 --csv; output; output table; models *v2_b0",
      ],
      in: folder.url)
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("model,parameters,"))
    #expect(lines[2] == "[" && lines[3].contains("\"model\":\"tf_efficientnetv2_b0\""))
    #expect(lines[5].hasPrefix("model,parameters,") && lines[7] == "tables are printed as json")
    #expect(lines[8].hasPrefix("model  "))
  }

  @Test func timingGoesToTheMessages() throws {
    let folder = try TestFolder()
    let result = try BuiltProgram.run(
      ["-c", "timing on; data digits limit=8; timing off; env", "--quiet"], in: folder.url)
    #expect(result.status == 0)
    let lines = result.errors.split(separator: "\n")
    #expect(lines.contains { $0.contains(#/^data: [\d.]+m?s$/#) })
    #expect(!lines.contains { $0.hasPrefix("env:") } && !result.output.contains("data: "))
  }

  @Test func aproposFindsWhatMentionsAWord() throws {
    let folder = try TestFolder()
    let found = try BuiltProgram.run(["-c", "apropos csv"], in: folder.url)
    #expect(found.status == 0 && found.output.contains("summary-csv="))
    let none = try BuiltProgram.run(["-c", "apropos zebra"], in: folder.url)
    #expect(none.status == 3 && none.errors.contains("nothing mentions 'zebra'"))
  }

  @Test func differencesNameWhatHasNoEffect() throws {
    let folder = try TestFolder()
    let result = try BuiltProgram.run(
      [
        "-c",
        "diff; \(Self.small); train name=a max-steps=1; train name=b max-steps=1 lr=0.01 decay-epochs=3; "
          + "output csv; diff run:a run:b; diff a; set lr=0.01 decay-epochs=3; diff b; output table; diff a a",
      ], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines.contains("session and default do not differ"))
    #expect(lines.contains("key,a,b,note"))
    #expect(
      lines.contains("lr,0.05,0.01,") && lines.contains("decay-epochs,100,3,inert: sched is cosine")
    )
    #expect(lines.contains("max-steps,1,none,"))
    #expect(lines.contains("a and a do not differ"))
    let missing = try BuiltProgram.run(["-c", "diff nowhere"], in: folder.url)
    #expect(missing.status == 3 && missing.errors.contains("there is no run 'nowhere'"))
  }

  @Test func scriptsAreComparedByWhatTheyDo() throws {
    let folder = try TestFolder()
    try folder.write("version 1\nset lr=0.1   batch_size=8\n# a\nenv\n", to: "a.wb")
    try folder.write("version 1\nset batch-size=8 lr=0.1\nenv\n", to: "b.wb")
    try folder.write("version 1\nset batch-size=8 lr=0.2\nenv\n", to: "c.wb")
    let same = try BuiltProgram.run(["-c", "diff a.wb b.wb"], in: folder.url)
    #expect(same.output.contains("are the same"))
    let other = try BuiltProgram.run(["-c", "diff a.wb c.wb"], in: folder.url)
    #expect(
      other.output.contains("- set batch-size=8 lr=0.1\n+ set batch-size=8 lr=0.2\n  env\n"),
      "\(other.output)")
  }

  // MARK: The command line

  @Test(arguments: ["bash", "zsh", "fish"]) func completions(shell name: String) throws {
    let folder = try TestFolder()
    let result = try BuiltProgram.run(["completions", name], in: folder.url)
    #expect(result.status == 0)
    for word in ["replay", "doctor", "import", "upgrade", "wb", "follow"] {
      #expect(result.output.contains(word), "\(word)")
    }
    if name == "bash" {
      try folder.write(result.output, to: "completions")
      let check = try shell("bash -n completions; echo $?", in: folder)
      #expect(check.output == "0\n")
    }
  }

  @Test func otherShellsHaveNoCompletions() throws {
    let folder = try TestFolder()
    let result = try BuiltProgram.run(["completions", "csh"], in: folder.url)
    #expect(result.status == 2 && result.errors.contains("not for 'csh'"))
  }

  @Test func completionsKnowParametersAndRuns() throws {
    let folder = try TestFolder()
    try folder.write(
      "version 1\nparam size:int = 16\nparam data = digits\ndata ${data} limit=${size}\n",
      to: "p.wb")
    try folder.write("epoch\n", to: "runs/first/metrics.csv")
    let parameters = try BuiltProgram.run(
      ["---completion", "replay", "--", "-p", "2", "0", "workbench", "replay", "p.wb", "-p", ""],
      in: folder.url)
    #expect(
      parameters.output.contains("size=") && parameters.output.contains("data="), "\(parameters)")
    let runs = try BuiltProgram.run(
      ["---completion", "tail", "--", "positional@0", "2", "0", "workbench", "tail", ""],
      in: folder.url)
    #expect(runs.output.contains("first"), "\(runs)")
  }

  @Test func theManualNamesEveryOptionAndExitCode() throws {
    let manual = try String(
      contentsOf: BuiltProgram.repository.appending(path: "workbench.1"), encoding: .utf8
    ).replacing("\\-", with: "-")
    for command in [WorkbenchCommand.self] + WorkbenchCommand.configuration.subcommands {
      let name = command.configuration.commandName ?? ""
      #expect(manual.contains(name), "\(name)")
      let help = WorkbenchCommand.helpMessage(for: command, columns: 200)
      for match in help.matches(of: #/(?:^|[\s,|])(--?[a-zA-Z][\w-]*)/#) {
        #expect(manual.contains(match.1), "\(match.1) of \(name)")
      }
    }
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "124", "130, 143"] {
      #expect(manual.contains("\n.TP\n\(code)\n"), "exit code \(code)")
    }
  }

  @Test func theTourRuns() throws {
    let folder = try TestFolder()
    let page = try BuiltProgram.run(["-c", "help tour"], in: folder.url)
    let lines = page.output.split(separator: "\n").filter {
      $0.hasPrefix("  ") && !$0.hasPrefix("    ")
    }
    .prefix { !$0.contains("Examples") }.map { $0.dropFirst(2).split(separator: "  ")[0] }
    let tour = lines.prefix(10)
    #expect(tour.last == "quit" && tour.contains { $0.hasPrefix("save ") }, "\(tour)")
    let result = try BuiltProgram.run(
      [], in: folder.url,
      input: tour.joined(separator: "\n").replacing("data digits", with: "data digits limit=32"))
    #expect(result.status == 0, "\(result.errors)")
    let replayed = try BuiltProgram.run(["check", "first.wb"], in: folder.url)
    #expect(replayed.status == 0 && folder.exists("first-top1.png"))
  }
}
