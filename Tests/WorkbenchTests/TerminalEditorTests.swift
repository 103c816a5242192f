import CReadline
import Foundation
import Glibc
import Testing

@testable import Workbench

/// Sends this process a signal. The main thread, which all tests here run on, takes it at once;
/// the threads of Dispatch block signals.
@MainActor private func press(_ signal: Int32) {
  kill(getpid(), signal)
}

/// The line editors on real descriptors. What involves signals or readline's global state runs in
/// a process of its own.
@Suite(.serialized) struct TerminalEditorTests {
  @Test func plainLinesFromAPipe() async {
    await #expect(processExitsWith: .success) {
      await MainActor.run {
        SignalCenter.install()
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        let reader = PlainLineReader(descriptor: ends[0])
        TerminalDevice.write("set lr=0.1\r\n\nhalf", to: ends[1])
        #expect(reader.readLine(prompt: "> ") == .line("set lr=0.1"))
        #expect(reader.readLine(prompt: "> ") == .line(""))
        press(SIGINT)
        #expect(reader.readLine(prompt: "> ") == .interrupted)
        close(ends[1])
        #expect(reader.readLine(prompt: "> ") == .line("half"))
        #expect(reader.readLine(prompt: "> ") == .end)
        press(SIGTERM)
        #expect(reader.readLine(prompt: "> ") == .terminated(signal: SIGTERM))
        #expect(!reader.isInteractive)
        #expect(!reader.confirm("Leave?"))
        #expect(reader.confirm("Stay?", standard: true))
      }
    }
  }

  @Test func signalsAreCounted() async {
    await #expect(processExitsWith: .success) {
      await MainActor.run {
        SignalCenter.install()
        SignalCenter.install()
        #expect(SignalCenter.interrupt == .none && !SignalCenter.isInterrupted)
        press(SIGINT)
        #expect(SignalCenter.interrupt == .once && SignalCenter.isInterrupted)
        press(SIGINT)
        #expect(SignalCenter.interrupt == .twice)
        SignalCenter.clearInterrupts()
        #expect(SignalCenter.interrupt == .none)
        press(SIGINT)
        #expect(SignalCenter.interrupt == .once)
        let resizes = SignalCenter.resizeCount
        press(SIGWINCH)
        #expect(SignalCenter.resizeCount == resizes + 1)
        press(SIGHUP)
        press(SIGTERM)
        #expect(SignalCenter.termination == SIGHUP)
        press(SIGPIPE)
      }
    }
  }

  @Test func secondInterruptEndsAHeadlessRun() async {
    await #expect(processExitsWith: .exitCode(130)) {
      await MainActor.run {
        SignalCenter.install()
        SignalCenter.exitsOnSecondRequest(true)
        press(SIGINT)
        press(SIGINT)
        exit(0)
      }
    }
  }

  @Test func readlineOnAPseudoTerminal() async {
    await #expect(processExitsWith: .success) {
      setenv("TERM", "xterm", 1)
      setenv("INPUTRC", "/dev/null", 1)
      try await MainActor.run {
        let folder = try ScratchFolder()
        let history = HistoryFile(url: folder.file("history"))
        history.append("an old entry")
        var inner: Int32 = -1
        let master = wb_pty_open(80, 24, &inner)
        let editor = ReadlineEditor(history: history, input: inner, output: inner)
        editor.setCompleter { line, cursor in
          let start = line.lastIndex(of: " ").map { line[...$0].utf8.count } ?? 0
          let word = String(decoding: line.utf8.prefix(cursor).dropFirst(start), as: UTF8.self)
          let all = ["train", "status", "show"].map { CompletionCandidate($0, detail: "the \($0)") }
          return CompletionList(start: start, candidates: all.filter { $0.text.hasPrefix(word) })
        }
        // Typed keys wait in the terminal until the editor reads them; what it draws is read after.
        @MainActor func type(_ keys: String) -> LineInput {
          TerminalDevice.write(keys, to: master)
          return editor.readLine(prompt: "\u{1B}[1mwb>\u{1B}[0m ")
        }
        func drawn() -> String {
          var bytes = [UInt8](repeating: 0, count: 65536)
          let count = read(master, &bytes, bytes.count)
          return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
        #expect(type("set lr=0.1\r") == .line("set lr=0.1"))
        #expect(drawn().contains("wb>"))
        #expect(type("é\u{7F}ü日\r") == .line("ü日"))
        #expect(type("\u{1B}[A\r") == .line("an old entry"))
        #expect(type("tr\t# now\r") == .line("train # now"))
        _ = drawn()
        #expect(type("s\tt\t\r") == .line("status "))
        let list = drawn()
        #expect(list.contains("status  the status") && list.contains("show    the show"))
        #expect(type("\u{1B}[200~a\nb {\n}\n\u{1B}[201~\r") == .line("a"))
        #expect(editor.pendingLines == ["b {", "}"])
        #expect(editor.readLine(prompt: "> ") == .line("b {"))
        editor.discardPendingLines()
        #expect(editor.pendingLines.isEmpty)

        TerminalDevice.write("half a li", to: master)
        let interrupter = Thread {
          usleep(200_000)
          kill(getpid(), SIGINT)
        }
        interrupter.start()
        #expect(editor.readLine(prompt: "wb> ") == .interrupted)
        #expect(drawn().contains("^C"))
        #expect(type("whole\r") == .line("whole"))
        TerminalDevice.write("!\r", to: master)
        #expect(editor.readLine(prompt: "> ", initial: "edit me") == .line("edit me!"))
        editor.remember("x {\n  y\n}")
        editor.remember("x {\n  y\n}")
        editor.remember(" secret")
        #expect(history.load() == ["an old entry", "x {\n  y\n}"])
        #expect(type("\u{1B}[A\r") == .line("x {"))
        editor.discardPendingLines()
        #expect(type("\u{04}") == .end)
        press(SIGTERM)
        #expect(editor.readLine(prompt: "> ") == .terminated(signal: SIGTERM))
      }
    }
  }
}
