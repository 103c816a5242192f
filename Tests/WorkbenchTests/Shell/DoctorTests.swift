import Foundation
import Model
import Testing

@testable import Workbench

/// `doctor` and `tail`.
@Suite struct DoctorTests {
  private func findings(
    _ folder: TestFolder, environment: [String: String] = [:],
    gnuplot: [String] = ["gnuplot", "-d"]
  ) -> [String: Doctor.Finding] {
    var process = GnuplotProcess()
    process.command = gnuplot
    let doctor = Doctor(
      plots: GnuplotSink(process: process), places: Places(output: folder.url),
      environment: environment, home: folder.url.appending(path: "home"))
    return Dictionary(uniqueKeysWithValues: doctor.findings().map { ($0.subject, $0) })
  }

  @Test func everythingIsLookedAt() throws {
    let folder = try TestFolder()
    let found = findings(folder)
    let subjects = [
      "program", "processor", "memory", "disk", "home", "output", "gnuplot", "picture", "fonts",
      "readline",
      "terminal", "locale", "data", "weights",
    ]
    #expect(Set(found.keys) == Set(subjects))
    #expect(found["readline"]?.text.contains(".") == true)
    #expect(found["gnuplot"]?.verdict == .ok)
    #expect(found["picture"]?.text.hasPrefix("drew a png of ") == true)
    for finding in found.values where finding.verdict != .ok {
      #expect(!finding.advice.isEmpty || finding.text == "unknown", "\(finding)")
    }
  }

  @Test func whatIsMissingIsNamedWithTheCure() throws {
    let folder = try TestFolder()
    let found = findings(
      folder, environment: ["LC_ALL": "de_DE.ISO-8859-1"], gnuplot: ["no-such-gnuplot"])
    #expect(
      found["gnuplot"]?.verdict == .fail && found["gnuplot"]?.advice.contains("install") == true)
    #expect(found["locale"]?.verdict == .warn && found["locale"]?.advice == "export LC_ALL=C.UTF-8")
    #expect(Doctor.exitCode(Array(found.values)) == 7)
  }

  @Test func dataAreFoundWhereTheyLie() throws {
    let folder = try TestFolder()
    try folder.write("", to: "datasets/cifar-10-batches-bin/test_batch.bin")
    let result = try BuiltProgram.run(["doctor", "--json"], in: folder.url)
    #expect(result.output.contains("cifar10 in datasets"), "\(result.output)")
    #expect(
      result.output.contains("\"check\":\"gnuplot\"") && result.output.contains("\"is\":\"ok\""))
    #expect(result.status == 0)
  }

  @Test func anOutputThatCannotBeWrittenFails() throws {
    let folder = try TestFolder()
    try folder.write("", to: "file")
    let result = try BuiltProgram.run(["doctor", "--out", "/proc/nothing"], in: folder.url)
    #expect(result.status == 7 && result.output.contains("write elsewhere with --out DIR"))
    #expect(
      try BuiltProgram.run(["-c", "doctor --csv"], in: folder.url).output.hasPrefix(
        "check,is,found,advice"))
  }

  // MARK: tail

  @Test func aRunIsFollowedFromAnotherProcessUntilItEnds() throws {
    let folder = try TestFolder()
    try folder.write(
      "version 1\n" + ReplayTests.preparation + "\ntrain name=a\n", to: "a.wb")
    let training = try BuiltProgram.start(["replay", "a.wb"], in: folder.url)
    #expect(training.wait { folder.exists("runs/a/log.txt") })
    let tail = try BuiltProgram.run(["tail", "a", "--follow", "-n", "99"], in: folder.url)
    #expect(training.finish().status == 0)
    #expect(tail.status == 0, "\(tail.errors)")
    #expect(tail.output == (try folder.text("runs/a/log.txt")))
    #expect(tail.errors.contains("a: finished, 3 of 3 epochs; best top1"))
    let log = try BuiltProgram.run(["-c", "log a"], in: folder.url)
    #expect(log.output == tail.output)
    let short = try BuiltProgram.run(["tail", "a", "--lines", "1"], in: folder.url)
    #expect(short.output.split(separator: "\n").count == 1 && short.output.hasPrefix("finished"))
    #expect(try BuiltProgram.run(["tail", "b"], in: folder.url).status == 3)
    #expect(try BuiltProgram.run(["tail", "a", "-n", "-1"], in: folder.url).status == 2)
  }

  @Test func linesAreReadWholeAndFromANewFileToo() throws {
    let folder = try TestFolder()
    let file = folder.url.appending(path: "log.txt")
    var reader = LogReader(file)
    #expect(reader.newLines() == [])
    try folder.write("one\ntw", to: "log.txt")
    #expect(reader.newLines() == ["one"])
    try folder.write("one\ntwo\nthree\n", to: "log.txt")
    #expect(reader.newLines() == ["two", "three"] && !reader.wasReplaced)
    try folder.write("new\n", to: "log.txt")
    #expect(reader.newLines() == ["new"] && reader.wasReplaced)
  }
}
