//! Requests about fleets and templates.

use super::{Selection, change_of, invalid, parse_name, refuse_busy};
use crate::{
    domain::{
        action::{Details, Kind},
        grant::Need,
        ids::ChannelId,
        template::Template,
    },
    error::{Error, Result},
    ops::{actions::Request, catalog::Source, secrets::Recipient, sight::Sight},
    store::actions::NewTarget,
};

impl Sight<'_> {
    pub fn request_fleet_create(&self, name: &str, channel: Option<ChannelId>) -> Result<Request> {
        let name = parse_name(name)?;
        self.permit(&Need::fleet(Kind::FleetCreate.level(), name.clone()))?;
        if self
            .roster
            .read(|board| board.fleet(name.as_str()).is_some())
        {
            return Err(Error::Invalid(format!(
                "There is a fleet `{name}` already."
            )));
        }
        let details = Details {
            name: Some(name),
            channel,
            ..Details::default()
        };
        Ok(change_of(Kind::FleetCreate, details))
    }

    pub fn request_fleet_delete(&self, name: &str) -> Result<Request> {
        let fleet = self.fleet(name)?;
        self.permit_in(Kind::FleetDelete, &fleet)?;
        if fleet.name == self.settings().agents.default_fleet {
            return Err(Error::Invalid(format!(
                "`{}` is the default fleet (`agents.default_fleet`); it stays.",
                fleet.name
            )));
        }
        let members = self.roster.read(|board| {
            board
                .views()
                .filter(|view| view.agent.fleet == fleet.id)
                .count()
        });
        if members > 0 {
            return Err(Error::Invalid(format!(
                "`{}` is not empty: {members} in it. Move or remove its agents first.",
                fleet.name
            )));
        }
        let details = Details {
            name: Some(fleet.name),
            fleet: Some(fleet.id),
            ..Details::default()
        };
        Ok(change_of(Kind::FleetDelete, details))
    }

    pub fn request_fleet_add(&self, fleet: &str, selection: Selection<'_>) -> Result<Request> {
        let fleet = self.fleet(fleet)?;
        let views = self.select(selection)?;
        self.permit_in(Kind::FleetAdd, &fleet)?;
        self.permit_on(Kind::FleetAdd, &views)?;
        self.engine_answers()?;
        let mut targets = Vec::new();
        for view in views.iter().filter(|view| view.agent.fleet != fleet.id) {
            refuse_busy(view)?;
            targets.push(NewTarget::as_it_is(view.agent.id));
        }
        if targets.is_empty() {
            return Err(Error::Invalid(format!(
                "They are in `{}` already.",
                fleet.name
            )));
        }
        let details = Details {
            name: Some(fleet.name),
            fleet: Some(fleet.id),
            ..Details::default()
        };
        Ok(Request {
            kind: Kind::FleetAdd,
            targets,
            newcomer: None,
            secret: None,
            details,
        })
    }

    pub fn request_template_save(
        &self,
        name: &str,
        agent: &str,
        description: &str,
    ) -> Result<Request> {
        let name = parse_name(name)?;
        self.permit(&Need::everything(Kind::TemplateSave.level()))?;
        if self.catalog.get(name.as_str()).is_some() {
            return Err(Error::Invalid(format!(
                "There is a template `{name}` already."
            )));
        }
        let view = self.agent(agent)?;
        let never = || Error::Invalid(format!("`{}` was never deployed.", view.agent.name));
        let version = view.version.as_ref().ok_or_else(never)?;
        let recipient = Recipient::of(&view.agent);
        let template = Template::from_spec(name.clone(), description, &version.spec, |secret| {
            self.has_secret(secret, recipient)
        })
        .map_err(|problems| invalid(&problems))?;
        let details = Details {
            name: Some(name),
            template: Some(template.to_json()),
            ..Details::default()
        };
        Ok(change_of(Kind::TemplateSave, details))
    }

    pub fn request_template_delete(&self, name: &str) -> Result<Request> {
        self.permit(&Need::everything(Kind::TemplateDelete.level()))?;
        let entry = self.template(name)?;
        if entry.source == Source::File {
            return Err(Error::Invalid(format!(
                "`{}` comes from a file: delete the file, then `/reload`.",
                entry.template.name
            )));
        }
        let details = Details {
            name: Some(entry.template.name),
            ..Details::default()
        };
        Ok(change_of(Kind::TemplateDelete, details))
    }
}
