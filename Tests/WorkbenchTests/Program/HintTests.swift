import Foundation
import Testing

/// Hints behind the line that is typed, on a terminal with a real readline.
@Suite(.serialized) struct HintTests {
  private static let faint = "\u{1B}[2m"

  /// A prompt that knows three lines of history.
  private func session(
    _ folder: TestFolder, columns: Int32 = 100, environment: [String: String] = [:]
  ) throws -> PromptSession {
    try folder.write(
      "data digits limit=32\nset lr=0.25\nnote Größe 日本語 und mehr\n", to: "home/history")
    let session = try PromptSession(in: folder.url, columns: columns, environment: environment)
    session.expect("workbench>")
    session.watch { session.transcript.hasSuffix("> ") }
    return session
  }

  /// Types, and waits for something to be drawn.
  ///
  /// - Returns: everything that was drawn meanwhile.
  @discardableResult
  private func type(_ text: String, _ session: PromptSession, until wanted: String) -> String {
    let before = session.transcript.unicodeScalars.count
    func drawn() -> String { String(session.transcript.unicodeScalars.dropFirst(before)) }
    session.type(text)
    #expect(session.watch { drawn().contains(wanted) }, "\(wanted) never came: \(drawn())")
    return drawn()
  }

  @Test func theHistoryGoesOnAndTheArrowTakesIt() throws {
    let folder = try TestFolder()
    let session = try session(folder)
    // Behind the letter the rest, faintly, and the cursor back in front of it.
    let drawn = type("d", session, until: "\u{1B}[19D")
    #expect(drawn.contains("d\(Self.faint)ata digits limit=32\u{1B}[0m\u{1B}[K\u{1B}[19D"))
    type("\u{1B}[C", session, until: "ata digits limit=32")
    session.type("\r")
    session.expect("images   32 to train")
    session.expect("digits *> ")
    for key in ["\u{6}", "\u{1B}[F", "\u{5}", "\u{1B}OC"] {
      type("set lr=0.2", session, until: "\(Self.faint)5\u{1B}[0m\u{1B}[K\u{1B}[1D")
      type(key, session, until: "5")
      type("\u{3}", session, until: "^C")
    }
    // Enter takes no hint, and leaves none behind.
    type("set l", session, until: "\u{1B}[6D")
    let entered = type("\r", session, until: "error:")
    #expect(entered.hasPrefix("\u{1B}[K"), "\(entered)")
    session.type("quit --force\r")
    #expect(session.finish() == 0)
    #expect(try folder.text("home/history").contains("\nset l\n"))
  }

  @Test func theSignatureOnlyTells() throws {
    let folder = try TestFolder()
    let session = try session(folder)
    type("resume ", session, until: "\(Self.faint)[RUN] [stop-at= stop-after= plot= …]\u{1B}[0m")
    // There is nothing to take over.
    type("\u{1B}[C\r", session, until: "there is no run")
    session.expect("> ")
    type("evalu", session, until: "evalu")
    type("\u{15}da", session, until: "\(Self.faint)ta digits limit=32")
    // Away from the end there is none.
    let moved = type("\u{2}", session, until: "\u{1B}[K")
    #expect(moved.hasPrefix("\u{1B}[K") && !moved.contains(Self.faint), "\(moved)")
    session.type("\u{5}\u{15}quit --force\r")
    #expect(session.finish() == 0)
    #expect(try folder.text("home/history").contains("\nresume \n"))
  }

  @Test func hintsEndAtTheEdgeOfTheWindow() throws {
    let folder = try TestFolder()
    // "workbench> " takes 11 columns; one stays free.
    let session = try session(folder, columns: 22)
    type("note G", session, until: "\(Self.faint)röß…\u{1B}[0m\u{1B}[K\u{1B}[4D")
    type("rö", session, until: "\(Self.faint)ß…\u{1B}[0m\u{1B}[K\u{1B}[2D")
    #expect(!type("ße", session, until: "e").contains(Self.faint))
    type("\u{7F}\u{7F}", session, until: "\(Self.faint)ß…")
    // The whole line is taken over all the same, over the edge.
    session.type("\u{1B}[C\rsave s.wb --raw\rquit --force\r")
    #expect(session.finish() == 0)
    #expect(try folder.text("s.wb").contains("Größe 日本語 und mehr"))
  }

  @Test(arguments: [["NO_COLOR": "1"], ["TERM": "dumb"]])
  func withoutColourThereAreNone(environment: [String: String]) throws {
    let folder = try TestFolder()
    let session = try session(folder, environment: environment)
    type("data d", session, until: "d")
    session.type("igits limit=8\rquit --force\r")
    #expect(session.finish() == 0)
    #expect(!session.transcript.contains("limit=32"))
  }
}
