using System.Collections.Concurrent;

namespace EventMail.EndToEnd.Crash;

/// <summary>What the clients of a crash test were promised, and what they asked for without hearing the answer. Thread-safe.</summary>
internal sealed class CrashLedger
{
    private readonly ConcurrentDictionary<string, Promise> _messages = new();

    public sealed class Promise
    {
        /// <summary>The 250 was heard: the message is there, once, unless <see cref="Removal"/> says otherwise.</summary>
        public volatile bool Delivered;

        /// <summary>A flag whose STORE was answered OK.</summary>
        public volatile bool Flagged;

        public volatile Removal Removal;
    }

    public enum Removal
    {
        None,

        /// <summary>QUIT was sent after DELE and never answered: it may be gone.</summary>
        Asked,

        /// <summary>QUIT was answered +OK.</summary>
        Done,
    }

    public IReadOnlyDictionary<string, Promise> Messages => _messages;

    public int Delivered => _messages.Values.Count(promise => promise.Delivered);

    /// <summary>About to be sent.</summary>
    public Promise Begin(string name) => _messages.GetOrAdd(name, _ => new Promise());

    public Promise this[string name] => _messages[name];
}
