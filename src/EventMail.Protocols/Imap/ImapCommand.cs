using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap;

/// <summary>A command on its way.</summary>
internal sealed class ImapCommand(string tag, Verb verb, CommandReader reader, int argumentsAt)
{
    /// <summary>Also the cause in the events that it brings about.</summary>
    public string Tag => tag;

    public Verb Verb => verb;

    public bool ByUid => verb.ByUid;

    public CommandReader Reader => reader;

    /// <summary>The parser at the first octet behind the command's name. What it returns is valid until the next command is read.</summary>
    public CommandParser Arguments => ParserAt(argumentsAt);

    /// <summary>Where in the reader's text the arguments begin.</summary>
    public int ArgumentsAt => argumentsAt;

    /// <summary>The same from anywhere in the reader's text.</summary>
    public CommandParser ParserAt(int position) => new(reader.Text[position..]) { Enabled = reader.Enabled };

    public Reply Done(string? code = null) => Reply.Ok($"{verb.Name} completed", code);
}
