import CReadline
import Foundation
import Glibc
import Model

/// Looks whether this machine has what the program needs, and says what to do where it has not.
struct Doctor {
  /// How one thing stands.
  enum Verdict: String {
    /// As it should be.
    case ok
    /// Something that is optional is missing.
    case warn
    /// Something cannot work.
    case fail
  }

  /// One thing that was looked at.
  struct Finding: Equatable {
    let subject: String
    let verdict: Verdict
    /// What was found.
    let text: String
    /// What to do; empty when all is well.
    var advice = ""
  }

  let plots: any PlotSink
  let places: Places
  var environment = ProcessInfo.processInfo.environment
  /// The user's folder of the program.
  var home = HomeFolder.url

  /// Everything, in the order in which it is worth reading.
  func findings() -> [Finding] {
    [program, processor, memory, disk, folder("home", home), folder("output", places.output)]
      + gnuplot + [fonts, lineEditor, terminal, locale] + [data, weights]
  }

  /// The findings for people, what to do under what was found.
  static func text(_ findings: [Finding], style: Style) -> String {
    let width = findings.map(\.subject.count).max() ?? 0
    return findings.map { finding in
      let role: Style.Role =
        switch finding.verdict {
        case .ok: .success
        case .warn: .warning
        case .fail: .error
        }
      let verdict = finding.verdict.rawValue
      let name = finding.subject.padding(toLength: width, withPad: " ", startingAt: 0)
      let line =
        style(verdict, role) + String(repeating: " ", count: 6 - verdict.count)
        + style(name, .strong) + "  " + finding.text + "\n"
      let indent = String(repeating: " ", count: width + 8)
      return finding.advice.isEmpty ? line : line + indent + finding.advice + "\n"
    }.joined()
  }

  /// The findings for programs.
  static func table(_ findings: [Finding]) -> Table {
    Table(
      [.init("check"), .init("is"), .init("found"), .init("advice")],
      rows: findings.map {
        [.init($0.subject), .init($0.verdict.rawValue), .init($0.text), .init($0.advice)]
      })
  }

  /// The process's exit code: 7 when something cannot work.
  static func exitCode(_ findings: [Finding]) -> Int32 {
    findings.contains { $0.verdict == .fail } ? 7 : 0
  }

  // MARK: Program and machine

  private var record: EnvironmentRecord {
    EnvironmentRecord(
      version: ProgramVersion.number, git: ProgramVersion.commit,
      threads: Hyperparameters.threadCount(HyperparameterValues()))
  }

  private var program: Finding {
    let record = record
    let commit = record.git.map { ", commit \($0.prefix(7))" } ?? ""
    return Finding(
      subject: "program", verdict: .ok,
      text: "workbench \(record.version)\(commit), swift \(record.swift), \(record.kernel)")
  }

  private var processor: Finding {
    let record = record
    let wide = record.features.last { $0.hasPrefix("avx512f") || $0 == "avx2" || $0 == "asimd" }
    return Finding(
      subject: "processor", verdict: wide == nil ? .warn : .ok,
      text: "\(record.processor), \(record.cores) cores, \(record.threads) threads, "
        + (wide ?? "no AVX2"),
      advice: wide == nil ? "training will be slow; take small images and a small network" : "")
  }

  private var memory: Finding {
    let lines = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
    let available = lines.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
      .flatMap { Int($0.split(separator: " ")[1]) }.map { $0 * 1024 }
    guard let available else {
      return Finding(subject: "memory", verdict: .warn, text: "unknown")
    }
    let isShort = available < 1 << 30
    return Finding(
      subject: "memory", verdict: isShort ? .warn : .ok,
      text: "\(NumberText.bytes(available)) free of \(NumberText.bytes(Int(record.memory)))",
      advice: isShort
        ? "take a smaller batch-size or input-size; 'info memory' says what a step needs" : "")
  }

  private var disk: Finding {
    var room = statvfs()
    guard statvfs(Self.existing(places.output).path, &room) == 0 else {
      return Finding(subject: "disk", verdict: .warn, text: "unknown")
    }
    let free = Int(room.f_bavail) * Int(room.f_frsize)
    let verdict: Verdict = free < 200 << 20 ? .fail : free < 2 << 30 ? .warn : .ok
    return Finding(
      subject: "disk", verdict: verdict,
      text: "\(NumberText.bytes(free)) free for \(places.output.path)",
      advice: verdict == .ok ? "" : "make room, set keep=1, or write elsewhere with --out DIR")
  }

  /// Whether a folder can be written, or made.
  private func folder(_ subject: String, _ url: URL) -> Finding {
    let isWritable = access(Self.existing(url).path, W_OK | X_OK) == 0
    let isHome = subject == "home"
    return Finding(
      subject: subject, verdict: isWritable ? .ok : isHome ? .warn : .fail,
      text: url.path + (isWritable ? "" : ", not writable"),
      advice: isWritable
        ? "" : isHome ? "set WORKBENCH_HOME to a folder of yours" : "write elsewhere with --out DIR"
    )
  }

  /// The folder itself, or the nearest one above it that exists.
  private static func existing(_ url: URL) -> URL {
    var url = url.standardizedFileURL
    while url.path != "/", !FileManager.default.fileExists(atPath: url.path) {
      url.deleteLastPathComponent()
    }
    return url
  }

  // MARK: Pictures

  private var gnuplot: [Finding] {
    guard let sink = plots as? GnuplotSink else { return [] }
    let found: GnuplotCapabilities
    do {
      found = try sink.capabilities()
    } catch {
      return [
        Finding(
          subject: "gnuplot", verdict: .fail, text: error.message,
          advice: error.advice ?? "install it: apt-get install gnuplot-nox")
      ]
    }
    let formats: [PlotFormat] = [.png, .svg, .pdf, .txt]
    let missing = formats.filter { (try? found.terminal(for: $0)) == nil }.map(\.rawValue)
    return [
      Finding(
        subject: "gnuplot", verdict: missing.isEmpty ? .ok : .warn,
        text: "\(found.version), writes "
          + formats.map(\.rawValue).filter { !missing.contains($0) }.joined(separator: " "),
        advice: missing.isEmpty
          ? "" : "for \(missing.joined(separator: " ")): apt-get install gnuplot-nox"),
      picture(sink),
    ]
  }

  /// Draws one, which tries the libraries and fonts behind gnuplot too.
  private func picture(_ sink: GnuplotSink) -> Finding {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "workbench-doctor-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      let figure = try CurveFigure(metrics: [.rate]).schedule(HyperparameterValues())
      let file = try sink.write(figure, to: folder.appending(path: "schedule.png")).output
      let bytes = try Data(contentsOf: file).count
      return Finding(
        subject: "picture", verdict: .ok, text: "drew a png of \(NumberText.bytes(bytes))")
    } catch {
      let error = error as? PlotError
      return Finding(
        subject: "picture", verdict: .fail, text: error?.message ?? "the png cannot be read",
        advice: error?.advice ?? "is there room in \(FileManager.default.temporaryDirectory.path)?")
    }
  }

  private var fonts: Finding {
    let homes = [environment["HOME"] ?? ""].flatMap {
      ["\($0)/.fonts", "\($0)/.local/share/fonts"]
    }
    let endings = [".ttf", ".otf", ".ttc", ".pfb"]
    let isThere = (["/usr/share/fonts", "/usr/local/share/fonts"] + homes).contains { folder in
      guard let files = FileManager.default.enumerator(atPath: folder) else { return false }
      return files.contains { file in
        endings.contains { (file as? String)?.lowercased().hasSuffix($0) == true }
      }
    }
    return Finding(
      subject: "fonts", verdict: isThere ? .ok : .warn,
      text: isThere ? "found" : "none, so that png and pdf have no text",
      advice: isThere ? "" : "apt-get install fonts-dejavu-core")
  }

  // MARK: Terminal

  private var lineEditor: Finding {
    Finding(
      subject: "readline", verdict: .ok, text: String(cString: wb_readline_version()))
  }

  private var terminal: Finding {
    let name = environment["TERM"] ?? ""
    let isPlain = name.isEmpty || name == "dumb"
    let streams = zip(["input", "output", "messages"], [0, 1, 2] as [Int32])
      .filter { TerminalDevice.isTerminal($0.1) }.map(\.0)
    let where_ = streams.isEmpty ? "no stream is one" : streams.joined(separator: ", ")
    let isLacking = isPlain && !streams.isEmpty
    return Finding(
      subject: "terminal", verdict: isLacking ? .warn : .ok,
      text: "TERM=\(name), \(where_)"
        + ((environment["NO_COLOR"] ?? "").isEmpty ? "" : ", NO_COLOR"),
      advice: isLacking ? "for colours and a progress bar: export TERM=xterm-256color" : "")
  }

  private var locale: Finding {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { name in
      environment[name].flatMap { $0.isEmpty ? nil : "\(name)=\($0)" }
    }
    let isFine = TerminalDevice.showsUnicode(environment: environment)
    return Finding(
      subject: "locale", verdict: isFine ? .ok : .warn,
      text: (named.first ?? "none set") + (isFine ? ", UTF-8" : ", not UTF-8"),
      advice: isFine ? "" : "export LC_ALL=C.UTF-8")
  }

  // MARK: Data and weights

  private var data: Finding {
    let found = Datasets.publishedNames.compactMap { name in
      DataPlaces.find(name, places).map { "\(name) in \(places.display($0))" }
    }
    let tried = DataPlaces.candidates(places).map(places.display).joined(separator: ", ")
    return Finding(
      subject: "data", verdict: found.isEmpty ? .warn : .ok,
      text: found.isEmpty
        ? "digits, which are built in; nothing in \(tried)"
        : "digits, " + found.joined(separator: ", "),
      advice: found.isEmpty
        ? "workbench -c 'download cifar10 dir=datasets', or 'data folder dir=…'" : "")
  }

  private var weights: Finding {
    let found = Variant.all.filter { !$0.pretrainedTags.isEmpty }
      .filter { (try? WeightLocator.find($0)) != nil }.map(\.name)
    let tried = WeightLocator.folders.map(\.folder.path).joined(separator: ", ")
    return Finding(
      subject: "weights", verdict: found.isEmpty ? .warn : .ok,
      text: found.isEmpty
        ? "no released weights in \(tried)" : found.joined(separator: ", "),
      advice: found.isEmpty ? "workbench -c 'download weights tf_efficientnetv2_b0'" : "")
  }
}
