import CReadline
import Foundation
import Glibc
import Testing

@testable import Workbench

/// An expectation that tells its story: of issues in a process of its own, the test that started it
/// hears no more than that there are some.
private func check<Value: Equatable>(_ value: Value, _ expected: Value, line: Int = #line) {
  guard value != expected else { return }
  TerminalDevice.write("line \(line): \(value) is not \(expected)\n", to: STDERR_FILENO)
  Issue.record("line \(line): \(value) is not \(expected)")
}

/// What a process of its own had to tell with `check`.
private func expectSilence(_ result: ExitTest.Result?) {
  let told = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  #expect(!told.contains(" is not "), "\(told)")
}

/// Sends this process a signal and waits until it is noticed: whichever thread takes it, it is not
/// this one, since the threads of Dispatch block signals.
@MainActor private func press(_ signal: Int32) {
  SignalCenter.drainWake()
  kill(getpid(), signal)
  var watched = pollfd(fd: SignalCenter.wakeDescriptor, events: Int16(POLLIN), revents: 0)
  _ = poll(&watched, 1, 5000)
}

/// The line editors on real descriptors. What involves signals or readline's global state runs in
/// a process of its own.
@Suite(.serialized) struct TerminalEditorTests {
  @Test func plainLinesFromAPipe() async {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      await MainActor.run {
        SignalCenter.install()
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        let reader = PlainLineReader(descriptor: ends[0])
        TerminalDevice.write("set lr=0.1\r\n\nhalf", to: ends[1])
        check(reader.readLine(prompt: "> "), .line("set lr=0.1"))
        check(reader.readLine(prompt: "> "), .line(""))
        press(SIGINT)
        check(reader.readLine(prompt: "> "), .interrupted)
        close(ends[1])
        check(reader.readLine(prompt: "> "), .line("half"))
        check(reader.readLine(prompt: "> "), .end)
        press(SIGTERM)
        check(reader.readLine(prompt: "> "), .terminated(signal: SIGTERM))
        #expect(!reader.isInteractive)
        #expect(!reader.confirm("Leave?"))
        #expect(reader.confirm("Stay?", standard: true))
      }
    }
    expectSilence(result)
  }

  @Test func signalsAreCounted() async {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
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
        kill(getpid(), SIGPIPE)
      }
    }
    expectSilence(result)
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
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      setenv("TERM", "xterm", 1)
      setenv("INPUTRC", "/dev/null", 1)
      try await MainActor.run {
        let folder = try ScratchFolder()
        let history = HistoryFile(url: folder.file("history"))
        history.append("an old entry")
        var inner: Int32 = -1
        let master = wb_pty_open(80, 24, &inner)
        // Keys wait in the terminal until the editor reads them: it must not obey them before.
        var modes = termios()
        tcgetattr(inner, &modes)
        modes.c_lflag &= ~tcflag_t(ICANON | ISIG)
        modes.c_iflag &= ~tcflag_t(ICRNL)
        tcsetattr(inner, TCSANOW, &modes)
        let editor = ReadlineEditor(history: history, input: inner, output: inner)
        editor.setCompleter { line, cursor in
          let start = line.lastIndex(of: " ").map { line[...$0].utf8.count } ?? 0
          let word = String(decoding: line.utf8.prefix(cursor).dropFirst(start), as: UTF8.self)
          let all = ["train", "status", "show"].map { CompletionCandidate($0, detail: "the \($0)") }
          return CompletionList(start: start, candidates: all.filter { $0.text.hasPrefix(word) })
        }
        @MainActor func type(_ keys: String) -> LineInput {
          TerminalDevice.write(keys, to: master)
          return editor.readLine(prompt: "\u{1B}[1mwb>\u{1B}[0m ")
        }
        // Reads what was drawn until it holds the text; it comes in pieces.
        @Sendable func drawn(until text: String) -> Bool {
          var seen = ""
          var watched = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
          while !seen.contains(text), poll(&watched, 1, 5000) > 0 {
            var bytes = [UInt8](repeating: 0, count: 65536)
            let count = read(master, &bytes, bytes.count)
            seen += String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
          }
          return seen.contains(text)
        }
        check(type("set lr=0.1\r"), .line("set lr=0.1"))
        check(drawn(until: "wb>"), true)
        check(type("é\u{7F}ü日\r"), .line("ü日"))
        check(type("\u{1B}[A\r"), .line("an old entry"))
        check(type("tr\t# now\r"), .line("train # now"))
        check(type("s\tt\t\r"), .line("status "))
        check(drawn(until: "  status  the status\r\n  show    the show\r\n"), true)
        check(type("\u{1B}[200~a\nb {\n}\n\u{1B}[201~\r"), .line("a"))
        check(editor.pendingLines, ["b {", "}"])
        check(editor.readLine(prompt: "> "), .line("b {"))
        editor.discardPendingLines()
        #expect(editor.pendingLines.isEmpty)

        TerminalDevice.write("half a li", to: master)
        // Its prompt says that the editor reads; the keys are shown by the terminal itself before.
        let interrupter = Thread {
          check(drawn(until: "now> "), true)
          kill(getpid(), SIGINT)
        }
        interrupter.start()
        check(editor.readLine(prompt: "now> "), .interrupted)
        // A terminal that sends the signal for a key forgets the keys before it.
        tcflush(inner, TCIFLUSH)
        check(drawn(until: "^C"), true)
        check(type("whole\r"), .line("whole"))
        TerminalDevice.write("!\r", to: master)
        check(editor.readLine(prompt: "> ", initial: "edit me"), .line("edit me!"))
        editor.remember("x {\n  y\n}")
        editor.remember("x {\n  y\n}")
        editor.remember(" secret")
        check(history.load(), ["an old entry", "x {\n  y\n}"])
        check(type("\u{1B}[A\r"), .line("x {"))
        editor.discardPendingLines()
        check(type("\u{04}"), .end)
        press(SIGTERM)
        check(editor.readLine(prompt: "> "), .terminated(signal: SIGTERM))
      }
    }
    expectSilence(result)
  }
}
