EventMail.Host.Cli.CommandLine.OwnsProcess = true;
return await EventMail.Host.Cli.CommandLine.RunAsync(args);
