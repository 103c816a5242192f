import Foundation
import Testing

@testable import Workbench

/// Curves that are drawn while a training runs, and looks that leave no trace in it.
@Suite(.serialized) struct LivePlotTests {
  private static let preparation = ReplayTests.preparation.replacing("\n", with: "; ") + "; "

  /// What a terminal shows of a transcript: the lines, with the cursor moving up and lines cleared as
  /// the program's own sequences ask for.
  private static func screen(_ transcript: String) -> [String] {
    var lines: [[Unicode.Scalar]] = [[]]
    var (row, column) = (0, 0)
    var rest = Substring(transcript)
    func put(_ text: Substring) {
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\n":
          row += 1
          if row == lines.count { lines.append([]) }
        case "\r": column = 0
        default:
          while lines[row].count <= column { lines[row].append(" ") }
          lines[row][column] = scalar
          column += 1
        }
      }
    }
    while let match = rest.firstMatch(of: /\u{1B}\[([0-9;?]*)([a-zA-Z])/) {
      put(rest[..<match.range.lowerBound])
      rest = rest[match.range.upperBound...]
      switch match.2 {
      case "A": row = max(0, row - (Int(match.1) ?? 1))
      case "J":
        lines[row] = Array(lines[row].prefix(column))
        lines.removeSubrange((row + 1)...)
      case "K": lines[row] = Array(lines[row].prefix(match.1 == "2" ? 0 : column))
      default: break
      }
    }
    put(rest)
    return lines.map { line in String(String.UnicodeScalarView(line)) }
  }

  @Test func theCurvesStayBelowTheTable() throws {
    let folder = try TestFolder()
    let session = try PromptSession(in: folder.url)
    session.expect("workbench>")
    session.type("data digits limit=64\r")
    session.expect("64 to train")
    session.type("seed 3; load tf_efficientnetv2_b0\r")
    session.expect("Linear(")
    session.type("set input-size=32 batch-size=8 hflip=0\r")
    session.expect("hflip")
    session.type("set epochs=3 warmup-epochs=1 cooldown-epochs=0\r")
    session.expect("cooldown-epochs")
    session.type("train name=a plot=train_loss\r")
    session.expect("finished: 3 epochs")
    session.expect("workbench b0·digits")
    session.type("quit --force\r")
    #expect(session.finish() == 0)
    // The plot moved down for every row of the table, and one of it is left.
    let moves = session.transcript.matches(of: /\u{1B}\[(\d+)A\r\u{1B}\[J/)
    #expect(moves.count >= 2)
    let screen = Self.screen(session.transcript)
    #expect(screen.count { $0.contains("training loss") } == 1, "\(screen)")
    let rows = screen.indices.filter { screen[$0].contains(#/ [123]\/3 /#) }
    let plot = try #require(screen.firstIndex { $0.contains("training loss") })
    #expect(rows.count == 3 && rows.allSatisfy { $0 < plot })

    // It changed no number.
    let plain = try TestFolder()
    let result = try BuiltProgram.run(
      ["-c", Self.preparation + "train name=a"], in: plain.url)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try plain.metrics("a") == folder.metrics("a"))
  }

  @Test func anotherProgramsRunIsFollowedToItsEnd() throws {
    let folder = try TestFolder()
    let trainer = try BuiltProgram.start(
      ["-c", Self.preparation + "train name=a epochs=6"], in: folder.url)
    #expect(trainer.wait { ((try? folder.text("runs/a/metrics.csv")) ?? "").contains("\n1,") })
    let session = try PromptSession(in: folder.url)
    session.expect("workbench>")
    session.type("plot loss runs=a live\r")
    session.expect("training loss")
    // The prompt comes back by itself when the run is over.
    session.expect("workbench")
    #expect(trainer.finish().status == 0)
    session.type("plot loss runs=a live > live.svg\r")
    session.expect("wrote live.svg")
    session.type("quit --force\r")
    #expect(session.finish() == 0)
    let svg = try folder.text("live.svg")
    #expect(svg.contains("training loss") && svg.contains("</svg>"))
    #expect(folder.exists("live.gp") && folder.exists("live.csv"))
  }

  @Test func controlCEndsTheFollowingAndNotTheTraining() throws {
    let folder = try TestFolder()
    let trainer = try BuiltProgram.start(
      ["-c", Self.preparation + "train name=a epochs=500"], in: folder.url)
    #expect(trainer.wait { ((try? folder.text("runs/a/metrics.csv")) ?? "").contains("\n1,") })
    let session = try PromptSession(in: folder.url)
    session.expect("workbench>")
    session.type("plot loss runs=a live\r")
    session.expect("training loss")
    session.type("\u{03}")
    session.expect("workbench")
    session.type("runs\r")
    session.expect("running")
    session.type("quit --force\r")
    #expect(session.finish() == 0)
    trainer.process.interrupt()
    #expect(trainer.finish().status == 130)
  }

  @Test func withoutATerminalThereAreSmallBars() throws {
    let folder = try TestFolder()
    let result = try BuiltProgram.run(
      ["-c", Self.preparation + "train name=a plot=train_loss > now.png"], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    #expect(folder.exists("now.png") && folder.exists("now.gp"))
    let bars = try BuiltProgram.run(
      ["-c", "data digits limit=64; resume a epochs=+1 plot=train_loss,lr"], in: folder.url)
    #expect(bars.status == 0, "\(bars.errors)")
    let lines = bars.errors.split(separator: "\n").filter { $0.contains("training loss ") }
    // One for the epoch, and the whole at the end.
    #expect(lines.count == 2 && lines.allSatisfy { $0.contains("learning rate ") })
    #expect(lines.last?.contains(#/[▁▂▃▄▅▆▇█]{4} /#) ?? false, "\(lines)")
    #expect(!bars.errors.contains("\u{1B}") && !bars.output.contains("\u{1B}"))
    let unclear = try BuiltProgram.run(
      ["-c", Self.preparation + "train name=b > b.png"], in: folder.url)
    #expect(unclear.status == 3 && unclear.errors.contains("plot=loss"))
    let unknown = try BuiltProgram.run(
      ["-c", Self.preparation + "train name=b plot=lose"], in: folder.url)
    #expect(unknown.status == 3 && unknown.errors.contains("did you mean 'loss'"))
    #expect(!folder.exists("runs/b"))
  }

  /// Every look that this program has, before and in the middle of a training.
  @Test func looksChangeNoNumber() throws {
    let images = BuiltProgram.repository.appending(path: "Tests/Fixtures/data/images/444.jpg").path
    let looks = """
      show batch epoch=2 > batch.png; plot filters > filters.svg; gradcam \(images) > cam.png; \
      gradcam \(images); plot per-class; plot confusion > confusion.svg; \
      plot calibration > calibration.svg; lrfind steps=10 > lr.svg; features \(images) > f.svg;
      """
    let folder = try TestFolder()
    let looked = try BuiltProgram.run(
      [
        "-c",
        Self.preparation + looks
          + "train name=a; \(looks) compare; plot models; plot loss,lr; resume a epochs=+1",
      ], in: folder.url)
    #expect(looked.status == 0, "\(looked.errors.suffix(1500))")
    let plain = try TestFolder()
    let result = try BuiltProgram.run(
      ["-c", Self.preparation + "train name=a; resume a epochs=+1"], in: plain.url)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try plain.metrics("a") == folder.metrics("a"))
    #expect(try plain.weights("a") == folder.weights("a"))
    for name in ["batch.png", "batch.pixels.png", "cam.png", "confusion.svg", "f.svg"] {
      #expect(folder.exists(name), "\(name)")
    }
  }
}
