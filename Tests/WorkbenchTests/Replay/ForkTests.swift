import Foundation
import Testing

/// `fork`, `require`, crashes and signals.
@Suite struct ForkTests {
  @Test func aForkWithoutChangesBecomesTheOriginal() throws {
    let folder = try TestFolder()
    let lines = """
      train name=a epochs=3
      fork a@1 name=same
      fork a@2 name=lower lr=0.001
      """
    try folder.write(SmallReplay.script(lines), to: "a.wb")
    let result = try SmallReplay.replay(folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try folder.metrics("same") == folder.metrics("a"))
    #expect(try folder.weights("same") == folder.weights("a"))
    let (lower, original) = (try folder.metrics("lower"), try folder.metrics("a"))
    #expect(lower.prefix(3) == original.prefix(3) && lower[3] != original[3])
    let lineage = try folder.text("runs/lower/lineage.json")
    #expect(lineage.contains("\"parent\" : \"a\"") && lineage.contains("\"epoch\" : 2"))
    #expect(lineage.contains("\"lr\" : \"0.001\""))
    let resumed = try SmallReplay.replay(folder, "--resume")
    #expect(resumed.errors.components(separatedBy: "reused").count - 1 == 3, "\(resumed.errors)")
  }

  @Test func requirementsAreCheckedBeforeAnythingRuns() throws {
    let folder = try TestFolder()
    for (line, words) in [
      ("require threads 4096", "requires 4096 threads"),
      ("require free-disk 90000T", "free in"), ("require memory 90000G", "of memory free"),
      ("require version 99", "requires version 99"),
      ("require weights tf_efficientnetv2_b0", "tf_efficientnetv2_b0"),
      ("require data sha256=abcdef012345", "the script requires abcdef012345"),
    ] {
      try folder.write(
        "version 1\nset lr=0.1\nplot lr > lr.csv\ndata digits\n\(line)\n", to: "a.wb")
      let result = try SmallReplay.replay(folder)
      #expect(result.status == 7 && result.errors.contains(words), "\(line): \(result.errors)")
      #expect(result.errors.contains("a.wb:5:") && !folder.exists("lr.csv"))
    }
    let met =
      "require threads 1; require free-disk 1k; require version 0.1; data digits; require data"
    let result = try BuiltProgram.run(["-c", met], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func aCrashLeavesAScript() throws {
    let folder = try TestFolder()
    try folder.write(SmallReplay.script("train name=a epochs=500"), to: "a.wb")
    let running = try BuiltProgram.start(["replay", "a.wb"], in: folder.url)
    #expect(running.wait { folder.steps("a") >= 1 })
    kill(running.process.processIdentifier, SIGSEGV)
    let result = running.finish()
    #expect(result.status == 1 && result.errors.contains("crash.wb"), "\(result.errors)")
    let script = try folder.text("crash.wb")
    #expect(script.hasPrefix("version 1\n") && script.hasSuffix("train name=a epochs=500\n"))
    #expect(try BuiltProgram.run(["check", "crash.wb"], in: folder.url).status == 0)
  }

  @Test func aHangUpSavesTheTraining() throws {
    let folder = try TestFolder()
    try folder.write(SmallReplay.script("train name=a epochs=500"), to: "a.wb")
    let running = try BuiltProgram.start(["replay", "a.wb"], in: folder.url)
    #expect(running.wait { folder.steps("a") >= 1 })
    kill(running.process.processIdentifier, SIGHUP)
    let result = running.finish()
    #expect(result.status == 129 && result.errors.contains("--resume"), "\(result.errors)")
  }

  @Test func aReaderThatGoesAwayAndNoInput() throws {
    let folder = try TestFolder()
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    shell.arguments = [
      "-c", "set -o pipefail; \"$0\" -c 'models' | head -1 > /dev/null && \"$0\" <&-",
      BuiltProgram.url.path,
    ]
    shell.environment = BuiltProgram.environment(home: folder.url)
    try shell.run()
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 0)
  }

  @Test func shellLinesNeedPermission() throws {
    let folder = try TestFolder()
    try folder.write("version 1\n!echo made > made.txt\n", to: "a.wb")
    let refused = try SmallReplay.replay(folder)
    #expect(refused.status == 4 && refused.errors.contains("--allow-shell"))
    #expect(!folder.exists("made.txt"))
    let allowed = try SmallReplay.replay(folder, "--allow-shell")
    #expect(allowed.status == 0 && folder.exists("made.txt"), "\(allowed.errors)")
    try folder.write("version 1\n!exit 9\n", to: "a.wb")
    #expect(try SmallReplay.replay(folder, "--allow-shell").status == 3)
  }
}
