using System.Buffers;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>One mail transaction (RFC 5321 §3.3): the envelope in one write where the host takes that (RFC 2920), then the message.</summary>
internal sealed class ClientTransaction(SmtpClient client, OutgoingMessage message)
{
    private enum Verb
    {
        Rset,
        Mail,
        Rcpt,
        Data,
    }

    private readonly record struct Command(Verb Verb, int Recipient = 0);

    private readonly RecipientResult?[] _results = new RecipientResult?[message.Recipients.Count];
    private readonly List<int> _accepted = [];
    private readonly bool _isReused = client.Transactions > 0;
    private RemoteReply? _mail;
    private RemoteReply? _data;
    private bool _answered;
    private string _stage = ClientStage.Mail;

    private ClientWire Wire => client.Wire;

    public async Task<TransactionResult> RunAsync(CancellationToken cancel)
    {
        if (DeliveryRequirements.Refusal(client, message) is { } refusal)
        {
            return new([.. message.Recipients.Select(_ => refusal)], RelayedDsn: false);
        }

        Wire.Utf8 = DeliveryRequirements.NeedsUtf8(message);
        Wire.Bound(client.Timeouts.Transaction);
        try
        {
            // A host that has spoken or closed since its last reply will not hear this one, and its words must not be taken for replies.
            if (Wire.HasInput)
            {
                Wire.End(await Wire.ReadAsync(client.Timeouts.Quit).ConfigureAwait(false) is { Ends: true } farewell ? farewell
                    : RemoteReply.Garbage("Something was said ahead of the transaction"));
            }
            else
            {
                await SendEnvelopeAsync().ConfigureAwait(false);
            }

            if (_mail is { IsNegative: true })
            {
                Settle(_mail, ClientStage.Mail);
            }

            if (Wire.Fault is { } fault)
            {
                SettleAll(fault, _stage);
            }
            else if (_accepted.Count == 0)
            {
                await LeaveAsync().ConfigureAwait(false);
            }
            else
            {
                await SendMessageAsync(cancel).ConfigureAwait(false);
            }
        }
        catch
        {
            // The message cannot be read: it has no end on the wire and will never get one.
            Wire.End(RemoteReply.Lost("The message could not be read"));
            throw;
        }
        finally
        {
            Wire.Bound(null);
        }

        return new([.. _results.Select(result => result!.Value)], client.Extensions.Dsn, client.Extensions.DeliverBy);
    }

    private async Task SendEnvelopeAsync()
    {
        client.Transactions++;
        var commands = Plan();
        var pipelined = client.Extensions.Pipelining;
        ValueTask<bool> writing = default;
        if (pipelined)
        {
            foreach (var command in commands)
            {
                Write(command);
            }

            // RFC 2920 §3.1: replies are read while commands are written, or both ends may wait for each other for ever.
            writing = Wire.FlushAsync();
        }

        foreach (var command in commands)
        {
            if (!pipelined && IsMoot(command))
            {
                continue;
            }

            _stage = StageOf(command);
            if (!pipelined)
            {
                Write(command);
                await Wire.FlushAsync(client.Timeouts.Command).ConfigureAwait(false);
            }

            var reply = await Wire.ReadAsync(TimeoutOf(command)).ConfigureAwait(false);
            if (Wire.Fault is not null)
            {
                break;
            }

            _answered = true;
            Take(command, reply);
        }

        if (pipelined)
        {
            await writing.ConfigureAwait(false);
        }
    }

    // DATA must be the last of its group (RFC 2920 §3.1). Chunks wait until somebody was accepted: sent together with the envelope they
    // would save a round trip, and leave it unknown what became of the message whenever a connection breaks.
    private List<Command> Plan()
    {
        var commands = new List<Command>(message.Recipients.Count + 3);
        if (client.NeedsReset)
        {
            commands.Add(new(Verb.Rset));
        }

        commands.Add(new(Verb.Mail));
        var most = client.Extensions.MaxRecipients ?? int.MaxValue;
        for (var i = 0; i < message.Recipients.Count; i++)
        {
            if (i < most)
            {
                commands.Add(new(Verb.Rcpt, i));
            }
            else
            {
                _results[i] = new(SendOutcome.NotTried, 0, "4.5.3", $"The host takes {most} recipients at a time", ClientStage.Rcpt);
            }
        }

        if (!client.UsesChunking)
        {
            commands.Add(new(Verb.Data));
        }

        client.NeedsReset = true;
        return commands;
    }

    private void Write(Command command)
    {
        switch (command.Verb)
        {
            case Verb.Rset:
                Wire.Output.Write("RSET\r\n"u8);
                break;
            case Verb.Mail:
                EnvelopeCommands.WriteMail(Wire.Output, message, client);
                break;
            case Verb.Rcpt:
                client.NoteRecipient(message.Recipients[command.Recipient].Address);
                EnvelopeCommands.WriteRcpt(Wire.Output, message, message.Recipients[command.Recipient], client);
                break;
            case Verb.Data:
                Wire.Output.Write("DATA\r\n"u8);
                break;
        }
    }

    private bool IsMoot(Command command) =>
        command.Verb is Verb.Rcpt or Verb.Data && (_mail is not { IsPositive: true } || (command.Verb == Verb.Data && _accepted.Count == 0));

    private static string StageOf(Command command) => command.Verb switch
    {
        Verb.Rcpt => ClientStage.Rcpt,
        Verb.Data => ClientStage.Data,
        _ => ClientStage.Mail,
    };

    private TimeSpan TimeoutOf(Command command) => command.Verb switch
    {
        Verb.Mail => client.Timeouts.Mail,
        Verb.Rcpt => client.Timeouts.Rcpt,
        Verb.Data => client.Timeouts.DataInitiation,
        _ => client.Timeouts.Command,
    };

    private void Take(Command command, RemoteReply reply)
    {
        // Only DATA has a 3xx. What is neither yes nor no leaves the dialogue out of step.
        if (reply.IsIntermediate && command.Verb != Verb.Data)
        {
            Wire.End(Verdict.OutOfPlace(reply, command.Verb.ToString().ToUpperInvariant()));
            return;
        }

        switch (command.Verb)
        {
            case Verb.Rset when !reply.IsPositive:
                Wire.End(Verdict.OutOfPlace(reply, "RSET"));
                break;
            case Verb.Mail:
                _mail = reply;
                break;
            case Verb.Rcpt when _mail is { IsPositive: true }:
                TakeRecipient(command.Recipient, reply);
                break;
            case Verb.Data when reply.IsPositive || reply is { IsIntermediate: true, Code: not 354 }:
                Wire.End(Verdict.OutOfPlace(reply, "DATA"));
                break;
            case Verb.Data:
                _data = reply;
                break;
        }
    }

    private void TakeRecipient(int recipient, RemoteReply reply)
    {
        if (reply.IsPositive)
        {
            _accepted.Add(recipient);
            return;
        }

        // RFC 5321 §4.5.3.1.10: send to those who were taken, then go on with the others. With nobody taken it is the host that is full.
        var verdict = Verdict.Of(reply, ClientStage.Rcpt);
        _results[recipient] = _accepted.Count > 0 && Verdict.IsTooManyRecipients(reply) ? verdict with { Outcome = SendOutcome.NotTried } : verdict;
    }

    // Nobody to send to: the sender or every recipient was refused.
    private async Task LeaveAsync()
    {
        if (_data is { IsIntermediate: true })
        {
            // RFC 2920 §3.1: a host that says 354 all the same waits for a message, and gets an empty one, for nobody.
            Wire.Output.Write(".\r\n"u8);
            await Wire.FlushAsync(client.Timeouts.DataBlock).ConfigureAwait(false);
            await Wire.ReadAsync(client.Timeouts.DataTermination).ConfigureAwait(false);
        }

    }

    private async Task SendMessageAsync(CancellationToken cancel)
    {
        if (_data is { IsIntermediate: false } refused)
        {
            Settle(refused, ClientStage.Data);
            return;
        }

        var transfer = new MessageTransfer(client, message);
        RemoteReply reply;
        try
        {
            reply = await (client.UsesChunking ? transfer.SendChunksAsync(cancel) : transfer.SendDataAsync(cancel)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            reply = Wire.End(RemoteReply.Cancelled);
        }

        _stage = transfer.IsEndSent ? ClientStage.Final : ClientStage.Data;
        if (!transfer.IsEndSent)
        {
            if (reply.Code == 0)
            {
                SettleAll(reply, _stage);
            }

            Settle(reply, _stage);
            return;
        }

        // The transaction is over, whatever was said.
        client.NeedsReset = false;
        if (reply.IsPositive)
        {
            Settle(new(SendOutcome.Delivered, reply.Code, Verdict.EnhancedOf(reply), reply.Text, _stage));
        }
        else if (reply.IsNegative)
        {
            Settle(reply, _stage);
        }
        else
        {
            var fault = Wire.End(reply.Code == 0 ? reply : Verdict.OutOfPlace(reply, "the end of the message"));
            Settle(new(SendOutcome.Unknown, 0, fault.Enhanced!, fault.Text, _stage));
        }
    }

    // The connection is over, and nothing of the message can have been taken.
    private void SettleAll(RemoteReply fault, string stage)
    {
        var verdict = Verdict.Of(fault, stage);
        // A connection that was idle may have been closed by the host meanwhile: no verdict on this message.
        var isStale = _isReused && !_answered && fault.Fault is not ReplyFault.TimedOut;
        Settle(isStale || fault.Fault == ReplyFault.Cancelled ? verdict with { Outcome = SendOutcome.NotTried } : verdict);
    }

    private void Settle(RemoteReply reply, string stage) => Settle(Verdict.Of(reply, stage));

    private void Settle(RecipientResult result)
    {
        for (var i = 0; i < _results.Length; i++)
        {
            _results[i] ??= result;
        }
    }
}
